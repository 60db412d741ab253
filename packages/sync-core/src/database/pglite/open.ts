import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { siblingModulePath } from '../../sibling-module.ts'
import { SyncError } from '../../sync-error.ts'
import type { Connection } from '../database.ts'
import { lockFolder } from './lock.ts'
import type { Reply, Request } from './process.ts'

/** The child's file descriptor of a pipe by which it knows that this process is there. */
const PARENT_PIPE = 5

/**
 * Opens PGlite in its own process: a statement keeps its thread busy, and heartbeats must fire here. A thread would
 * make this process a gigabyte large, and starting git from such a one holds it for up to 65 ms.
 */
export async function openPglite(folder: string): Promise<Connection> {
  const lock = await lockFolder(folder)
  const child = fork(siblingModulePath(import.meta.url, 'process'), [folder, String(PARENT_PIPE)], {
    serialization: 'advanced',
    // The lock goes with the open file: the child has it until it ends, whatever becomes of this process.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', lock.fd, 'pipe'],
  })
  await lock.close()
  ;(child.stdio as readonly unknown[] as readonly Socket[])[PARENT_PIPE]!.unref()
  const exited = once(child, 'exit').catch(() => {})
  const requests = openRequests(child)
  const stop = async () => {
    requests.keepAlive(true)
    // What was closed is in its files. Left to itself, the runtime takes two seconds to tidy up a database's memory.
    child.kill('SIGKILL')
    await exited
  }
  try {
    await requests.send({ kind: 'query', text: 'SELECT 1', params: [] })
  } catch (error) {
    await stop()
    const message = `The embedded database in ${folder} does not open: ${(error as Error).message}`
    const hint =
      'See that the folder is writable and holds nothing else; delete it to start anew, or name another with --database.'
    throw new SyncError('DATABASE_FOLDER', message, hint, error)
  }
  return {
    engine: 'pglite',
    name: folder,
    // One session has no one to wait for, so a statement there ends by itself, and soon.
    async query(text, params = [], signal) {
      signal?.throwIfAborted()
      return { rows: await requests.send({ kind: 'query', text, params }) }
    },
    async close() {
      if (!requests.ended) await requests.send({ kind: 'close', text: '', params: [] })
      await stop()
    },
  }
}

/** Requests to the database's process, each with a promise of its answer. */
function openRequests(child: ChildProcess) {
  const pending = new Map<number, { resolve: (rows: any[]) => void; reject: (error: Error) => void }>()
  let nextId = 0
  let ended: Error | undefined
  // A forgotten close() must not keep this process alive, an unanswered statement must.
  const keepAlive = (wanted: boolean) => {
    const change = wanted ? 'ref' : 'unref'
    child[change]()
    child.channel?.[change]()
  }
  const end = (error: Error) => {
    ended ??= error
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  child.on('message', ({ id, rows, error }: Reply) => {
    const call = pending.get(id)
    pending.delete(id)
    if (pending.size === 0) keepAlive(false)
    if (error) call?.reject(Object.assign(new Error(error.message), error))
    else call?.resolve(rows)
  })
  child.on('error', end).on('exit', () => end(new Error('the embedded database has ended')))
  return {
    keepAlive,
    get ended() {
      return ended !== undefined
    },
    send: (request: Omit<Request, 'id'>) =>
      new Promise<any[]>((resolve, reject) => {
        if (ended) return reject(ended)
        const id = nextId++
        pending.set(id, { resolve, reject })
        keepAlive(true)
        child.send({ id, ...request } satisfies Request, () => {})
      }),
  }
}
