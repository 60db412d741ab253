import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { besides } from '../besides.ts'
import { SyncError } from '../sync-error.ts'
import type { Connection } from './database.ts'
import { lockFolder } from './folder-lock.ts'
import type { Reply, Request } from './pglite-process.ts'

/** The place of a pipe among the child's files by which it knows that this process is there. */
const LIFELINE = 5

/**
 * Opens an embedded PGlite in a process of its own: a statement there keeps its thread busy until it is done, and here
 * heartbeats must fire and pages be parsed meanwhile. A thread would do for that, but it would make this process a
 * gigabyte large, and starting git from such a one holds it for up to 65 ms, because a fork copies the page table.
 */
export async function openPglite(folder: string): Promise<Connection> {
  const lock = await lockFolder(folder)
  const child = fork(besides(import.meta.url, 'pglite-process'), [folder, String(LIFELINE)], {
    serialization: 'advanced',
    // The lock goes with the open file: the child has it until it ends, whatever becomes of this process.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', lock.fd, 'pipe'],
  })
  await lock.close()
  ;(child.stdio as readonly unknown[] as readonly Socket[])[LIFELINE]!.unref()
  const exited = once(child, 'exit').catch(() => {})
  const waiting = new Map<number, { resolve: (rows: any[]) => void; reject: (error: Error) => void }>()
  let next = 0
  let ended: Error | undefined

  // A forgotten close() must not keep the process alive, an unanswered statement must.
  const keepAlive = (wanted: boolean) => {
    const change = wanted ? 'ref' : 'unref'
    child[change]()
    child.channel?.[change]()
  }
  child.on('message', ({ id, rows, error }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (waiting.size === 0) keepAlive(false)
    if (error) call?.reject(Object.assign(new Error(error.message), error))
    else call?.resolve(rows)
  })
  const end = (error: Error) => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  child.on('error', end)
  child.on('exit', () => end(new Error('the embedded database has ended')))

  const ask = (request: Omit<Request, 'id'>) =>
    new Promise<any[]>((resolve, reject) => {
      if (ended) return reject(ended)
      const id = next++
      waiting.set(id, { resolve, reject })
      keepAlive(true)
      child.send({ id, ...request } satisfies Request, () => {})
    })
  const stop = async () => {
    keepAlive(true)
    // What was closed is in its files. Left to itself, the runtime takes two seconds to tidy up the memory of a database.
    child.kill('SIGKILL')
    await exited
  }

  try {
    await ask({ kind: 'query', text: 'SELECT 1', params: [] })
  } catch (error) {
    await stop()
    throw new SyncError(
      'DATABASE_FOLDER',
      `The embedded database in ${folder} does not open: ${(error as Error).message}`,
      'See that the folder is writable and holds nothing else; delete it to start anew, or name another with --database.',
      error,
    )
  }
  return {
    engine: 'pglite',
    name: folder,
    // One session has no one to wait for, so a statement there ends by itself, and soon.
    async query(text, params = [], signal) {
      signal?.throwIfAborted()
      return { rows: await ask({ kind: 'query', text, params }) }
    },
    async close() {
      if (!ended) await ask({ kind: 'close', text: '', params: [] })
      await stop()
    },
  }
}
