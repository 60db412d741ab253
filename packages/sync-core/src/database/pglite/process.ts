/** The process that `openPglite` starts: has the database, and answers one statement after another. */
import { PGlite, types } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { exitWithParent, ignoreTerminalSignals, PARENT_PIPE } from '../../exit-with-parent.ts'

export interface Request {
  readonly id: number
  /** A statement; null to close the database. */
  readonly text: string | null
  readonly params: unknown[]
}

export interface Reply {
  readonly id: number
  readonly rows: any[]
  /** The fields of a database error: a thrown one would lose them on its way between processes. */
  readonly error?: { message: string; code?: string; detail?: string }
}

ignoreTerminalSignals()
exitWithParent(PARENT_PIPE)

const opened = PGlite.create(process.argv[2]!, {
  // Has to be there whenever a database that has used it is opened; used or not, it takes a millisecond.
  extensions: { vector },
  // As the driver for Postgres has it: text, because a number can't hold every bigint.
  parsers: { [types.INT8]: (value: string) => value },
})
opened.catch(() => {}) // The first answer reports it; until then it is not unhandled.

process.on('message', async (request: Request) => {
  const { id } = request
  try {
    reply({ id, rows: await answer(request) })
  } catch (error) {
    const { message, code, detail } = error as { message: string; code?: string; detail?: string }
    reply({ id, rows: [], error: { message: String(message), ...(code && { code }), ...(detail && { detail }) } })
  }
})

/** Errors are ignored: the parent may have been killed, which the pipe notices. */
const reply = (reply: Reply) => process.send!(reply, () => {})

async function answer({ text, params }: Request): Promise<any[]> {
  const db = await opened
  if (text !== null) return (await db.query(text, params)).rows
  await db.close()
  return []
}
