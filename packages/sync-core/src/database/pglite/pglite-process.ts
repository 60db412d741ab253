/** The process that `openPglite` starts: has the database, and answers one statement after another. */
import { chmod, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, types } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { exitWithParent, ignoreTerminalSignals, PARENT_PIPE } from '../../exit-with-parent.ts'
import { compileModule } from './compile-module.ts'
import { type Packed, pack, unpack } from './spool.ts'

/** Its statement is packed as {@link Statement}. */
export interface Request {
  readonly packed: Packed
  /** A place in the spool, which is the reply's too. */
  readonly slot: number
}

export interface Statement {
  /** Null to close the database. */
  readonly text: string | null
  readonly params: unknown[]
}

/** To the first request that has none yet; packed as {@link Result}. */
export interface Reply {
  readonly packed: Packed
}

export interface Result {
  readonly rows: any[]
  /** The fields of a database error: a thrown one would lose them on its way between processes. */
  readonly error?: Readonly<Partial<Record<'code' | 'detail' | 'severity', string>>> & { readonly message: string }
}

/** What a statement of this process has told on a channel that it listens to. */
export interface Notification {
  readonly channel: string
  readonly payload: string
}

ignoreTerminalSignals()
exitWithParent(PARENT_PIPE)

const [folder, spoolFd] = process.argv.slice(2) as [string, string?]
const spool = spoolFd === undefined ? null : Number(spoolFd)
const open = async () => {
  const pgliteWasmModule = await compileModule()
  return PGlite.create(folder, {
    pgliteWasmModule,
    // Of 16 MB by default, which a new database would be made in memory with, and written as.
    initDbStartParams: ['--wal-segsize=4'],
    // Has to be there whenever a database that has used it is opened; used or not, it takes a millisecond.
    extensions: { vector },
    // As the driver for Postgres has it: text, because a number can't hold every bigint.
    parsers: { [types.INT8]: (value: string) => value },
  })
}
const opened = open().then(async (db) => {
  await closeToOthers(folder)
  db.onNotification((channel, payload) => process.send!({ channel, payload } satisfies Notification, () => {}))
  return db
})
opened.catch(() => {}) // The first answer reports it; until then it is not unhandled.

let answered: Promise<unknown> = Promise.resolve()
process.on('message', ({ packed, slot }: Request) => {
  const statement = unpack(packed, spool, slot) as Statement
  answered = answered
    .then(() => answer(statement))
    .catch(({ message = 'it ended while it was started', code, detail, severity }): Result => {
      const known = Object.entries({ code, detail, severity }).filter(([, value]) => value)
      return { rows: [], error: { message: String(message), ...Object.fromEntries(known) } }
    })
    // Errors are ignored: the parent may have been killed, which the pipe notices.
    .then((result) => process.send!({ packed: pack(result, spool, slot) } satisfies Reply, () => {}))
})

async function answer({ text, params }: Statement): Promise<Result> {
  const db = await opened
  if (text !== null) return { rows: (await db.query(text, params)).rows }
  await db.close()
  return { rows: [] }
}

/** It makes the files of a new database writable for everyone, and some of them whenever it is opened. */
async function closeToOthers(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  await Promise.all(
    files.map(async (file) => {
      const path = join(file.parentPath, file.name)
      if ((await stat(path)).mode & 0o077) await chmod(path, file.isDirectory() ? 0o700 : 0o600)
    }),
  )
}
