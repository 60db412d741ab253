import { Worker } from 'node:worker_threads'
import { besides } from '../besides.ts'
import { SyncError } from '../sync-error.ts'
import type { Connection } from './database.ts'
import { lockFolder } from './folder-lock.ts'
import type { Reply, Request } from './pglite-worker.ts'

/**
 * Opens an embedded PGlite in a thread of its own: a statement there keeps the thread busy until it is done, and
 * here heartbeats must fire and pages be parsed meanwhile.
 */
export async function openPglite(folder: string): Promise<Connection> {
  const unlock = await lockFolder(folder)
  const worker = new Worker(besides(import.meta.url, 'pglite-worker'), { workerData: { folder } })
  const waiting = new Map<number, { resolve: (rows: any[]) => void; reject: (error: Error) => void }>()
  let next = 0
  let ended: Error | undefined

  worker.on('message', ({ id, rows, error }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error) call?.reject(Object.assign(new Error(error.message), error))
    else call?.resolve(rows)
    if (waiting.size === 0) worker.unref()
  })
  const end = (error: Error) => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('error', end)
  worker.on('exit', () => end(new Error('the embedded database has ended')))

  const ask = (request: Omit<Request, 'id'>) =>
    new Promise<any[]>((resolve, reject) => {
      if (ended) return reject(ended)
      const id = next++
      waiting.set(id, { resolve, reject })
      // A forgotten close() must not keep the process alive, an unanswered statement must.
      worker.ref()
      worker.postMessage({ id, ...request } satisfies Request)
    })

  try {
    await ask({ kind: 'query', text: 'SELECT 1', params: [] })
  } catch (error) {
    await worker.terminate()
    await unlock()
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
      if (ended) return unlock()
      await ask({ kind: 'close', text: '', params: [] })
      await worker.terminate()
      await unlock()
    },
  }
}
