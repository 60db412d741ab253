import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { siblingModulePath } from '../../sibling-module.ts'
import { SyncError } from '../../sync-error.ts'
import type { Connection } from '../database.ts'
import { lockFolder } from './lock.ts'
import { openQueries } from './query.ts'

/** The child's file descriptor of a pipe by which it knows that this process is there. */
const PARENT_PIPE = 5

/**
 * Opens an embedded PGlite in a process of its own: a statement there keeps its thread busy until it is done, and here
 * heartbeats must fire and pages be parsed meanwhile. A thread would do for that, but it would make this process a
 * gigabyte large, and starting git from such a one holds it for up to 65 ms, because a fork copies the page table.
 *
 * @throws {SyncError} `DATABASE_IN_USE`, `DATABASE_FOLDER`.
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
  const queries = openQueries(child)
  const stop = async () => {
    queries.keepAlive(true)
    // What was closed is in its files. Left to itself, the runtime takes two seconds to tidy up the memory of a database.
    child.kill('SIGKILL')
    await exited
  }
  try {
    await queries.send({ kind: 'query', text: 'SELECT 1', params: [] })
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
      return { rows: await queries.send({ kind: 'query', text, params }) }
    },
    async close() {
      if (!queries.ended) await queries.send({ kind: 'close', text: '', params: [] })
      await stop()
    },
  }
}
