import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { forkSibling } from '../../fork-sibling.ts'
import { SyncError } from '../../sync-error.ts'
import type { Connection } from '../database.ts'
import { lockFolder } from './lock.ts'
import type { Reply, Request } from './process.ts'

/**
 * Opens PGlite in its own process: a statement keeps its thread busy, and heartbeats must fire here. A thread would
 * make this process a gigabyte large, and starting git from such a one holds it for up to 65 ms.
 */
export async function openPglite(folder: string): Promise<Connection> {
  const lock = await lockFolder(folder)
  // The lock goes with the open file: the child has it until it ends, whatever becomes of this process.
  const { child } = forkSibling(import.meta.url, 'process', [folder], [lock.fd])
  await lock.close()
  const exited = once(child, 'exit').catch(() => {})
  const requests = openRequests(child)
  const stop = async () => {
    requests.keepAlive(true)
    // What was closed is in its files. Left to itself, the runtime takes two seconds to tidy up a database's memory.
    child.kill('SIGKILL')
    await exited
  }
  try {
    await requests.send('SELECT 1')
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
    async query(text, params, signal) {
      signal?.throwIfAborted()
      return { rows: await requests.send(text, params) }
    },
    async close() {
      if (!requests.ended()) await requests.send(null)
      await stop()
    },
  }
}

/** Requests to the database's process, each with a promise of its answer; the answers come in their order. */
function openRequests(child: ChildProcess) {
  const pending: PromiseWithResolvers<any[]>[] = []
  let fault: Error | undefined
  // A forgotten close() must not keep this process alive, an unanswered statement must.
  const keepAlive = (wanted: boolean) => {
    const change = wanted ? 'ref' : 'unref'
    child[change]()
    child.channel?.[change]()
  }
  const end = (error: Error) => {
    fault ??= error
    for (const { reject } of pending.splice(0)) reject(error)
  }
  child.on('message', ({ rows, error }: Reply) => {
    const call = pending.shift()
    if (pending.length === 0) keepAlive(false)
    if (error) call?.reject(Object.assign(new Error(error.message), error))
    else call?.resolve(rows)
  })
  child.on('error', end).on('exit', () => end(new Error('the embedded database has ended')))
  return {
    keepAlive,
    ended: () => fault !== undefined,
    async send(text: string | null, params: unknown[] = []): Promise<any[]> {
      if (fault) throw fault
      const call = Promise.withResolvers<any[]>()
      pending.push(call)
      keepAlive(true)
      child.send({ text, params } satisfies Request, () => {})
      return call.promise
    },
  }
}
