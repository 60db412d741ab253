import { parentPort, workerData } from 'node:worker_threads'
import { PGlite, types } from '@electric-sql/pglite'

export interface Request {
  readonly id: number
  readonly kind: 'query' | 'close'
  readonly text: string
  readonly params: unknown[]
}

export interface Reply {
  readonly id: number
  readonly rows: any[]
  /** The fields of a database error: a thrown one would lose them on its way between threads. */
  readonly error?: { message: string; code?: string; detail?: string }
}

const port = parentPort!
const opened = PGlite.create((workerData as { folder: string }).folder, {
  // As the driver for Postgres has it: text, because a number can't hold every bigint.
  parsers: { [types.INT8]: (value: string) => value },
})
// Told with the first answer; until then it is not unhandled.
opened.catch(() => {})

port.on('message', async (request: Request) => {
  const { id } = request
  try {
    port.postMessage({ id, rows: await answer(request) } satisfies Reply)
  } catch (error) {
    const { message, code, detail } = error as { message: string; code?: string; detail?: string }
    const fields = { message: String(message), ...(code && { code }), ...(detail && { detail }) }
    port.postMessage({ id, rows: [], error: fields } satisfies Reply)
  }
})

async function answer({ kind, text, params }: Request): Promise<any[]> {
  const db = await opened
  if (kind === 'query') return (await db.query(text, params)).rows
  await db.close()
  return []
}
