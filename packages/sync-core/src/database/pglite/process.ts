/** The process that `openPglite` starts: has the database, and answers one statement after another. */
import { PGlite, types } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { exitWithParent, ignoreTerminalSignals, PARENT_PIPE } from '../../exit-with-parent.ts'

export interface Request {
  /** A statement; null to close the database. */
  readonly text: string | null
  readonly params: unknown[]
}

/** To the first request that has none yet. */
export interface Reply {
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

let answered: Promise<unknown> = Promise.resolve()
process.on('message', (request: Request) => {
  answered = answered
    .then(() => answer(request))
    .catch(({ message, code, detail }): Reply => {
      return { rows: [], error: { message: String(message), ...(code && { code }), ...(detail && { detail }) } }
    })
    // Errors are ignored: the parent may have been killed, which the pipe notices.
    .then((reply) => process.send!(reply, () => {}))
})

async function answer({ text, params }: Request): Promise<Reply> {
  const db = await opened
  if (text !== null) return { rows: (await db.query(text, params)).rows }
  await db.close()
  return { rows: [] }
}
