/**
 * Opens the database of a mirror: a Postgres by its address (`postgres/`) or an embedded PGlite by its folder (`pglite/`).
 *
 * A Postgres has a pool of connections in this process. A PGlite has a process of its own, which one program at a time
 * may have (a kernel lock on its folder) and which ends with its parent. A statement ends with its signal: Postgres is
 * sent a CancelRequest, PGlite finishes what it has begun. Leases share the connection, with a time limit of their own,
 * so a connection that is dead without knowing it ends no later than they do.
 */
import { channel } from 'node:diagnostics_channel'
import { resolve } from 'node:path'
import { createLocks, type LocksOptions } from '@tidemark/lock'
import { raceAbort } from '../abort.ts'
import { SyncError } from '../sync-error.ts'
import type { Connection, Database } from './database.ts'

/** After which a lease's statement without an answer is given up. */
const LEASE_STATEMENT_TIMEOUT_MS = 20_000

/** What giving up leases and connections may take; a server that has gone silent takes longer than anyone waits. */
const CLOSE_TIMEOUT_MS = 3_000

/** How long leases last, as `createLocks` of `@tidemark/lock` has it, and what ends the wait for a server to answer. */
export type DatabaseOptions = Pick<LocksOptions, 'ttlMs' | 'heartbeatMs' | 'marginMs'> & {
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens a Postgres by its address, or a PGlite by its folder, which is made where there is none.
 *
 * ```ts
 * const db = await openDatabase(process.env.DATABASE_URL ?? '.tidemark/db')
 * await migrate(db)
 * ```
 *
 * @param where `postgres://…`, `postgresql://…`, or the path of a folder.
 * @throws {SyncError} `DATABASE_UNREACHABLE`, `DATABASE_REFUSED`, `DATABASE_IN_USE`, `DATABASE_FOLDER`; or the signal's
 *   reason.
 */
export async function openDatabase(where: string, { signal, ...leases }: DatabaseOptions = {}): Promise<Database> {
  signal?.throwIfAborted()
  const connection = traced(await connect(where, signal))
  const query = (text: string, params?: unknown[]) =>
    connection.query(text, params, AbortSignal.timeout(LEASE_STATEMENT_TIMEOUT_MS))
  const locks = createLocks({ query }, { ...leases, table: 'tidemark.locks' })
  return {
    ...connection,
    locks,
    async close() {
      try {
        await locks.close()
      } finally {
        await connection.close()
      }
    },
  }
}

/**
 * Closes a database after work whose results stand, whatever comes of closing it.
 *
 * @param onError told of what went wrong; a lease that is still had then ends by itself within its TTL.
 */
export async function closeDatabase(db: Database, onError: (error: Error) => void): Promise<void> {
  const closing = db.close().catch(onError)
  // An embedded database writes its files then, which must not be cut short.
  await raceAbort(closing, db.engine === 'pglite' ? undefined : AbortSignal.timeout(CLOSE_TIMEOUT_MS))
}

/** Whether that is the folder of an embedded database rather than the address of a server. */
export function isEmbedded(where: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:\/\//i.test(where)
}

async function connect(where: string, signal: AbortSignal | undefined): Promise<Connection> {
  // Only the engine that is used is loaded: the other one costs a command that starts anew each minute.
  if (/^postgres(ql)?:\/\//.test(where)) return (await import('./postgres/open.ts')).openPostgres(where, signal)
  if (where.trim() === '' || !isEmbedded(where)) {
    throw new SyncError(
      'DATABASE_REFUSED',
      'The database address is neither Postgres nor a folder',
      'Give postgres://user@host/database, or the path of a folder for an embedded database.',
    )
  }
  return (await import('./pglite/open.ts')).openPglite(resolve(where))
}

/** A statement that has ended, as the diagnostics channel `tidemark:sql` tells it; without its parameters. */
export interface TracedStatement {
  readonly text: string
  readonly elapsedMs: number
  /** How many rows came back; null where it failed. */
  readonly rows: number | null
}

function traced(connection: Connection): Connection {
  const statements = channel('tidemark:sql')
  return {
    ...connection,
    async query(text, params, signal) {
      if (!statements.hasSubscribers) return connection.query(text, params, signal)
      const started = performance.now()
      let rows: number | null = null
      try {
        const result = await connection.query(text, params, signal)
        rows = result.rows.length
        return result as { rows: any[] }
      } finally {
        statements.publish({ text, elapsedMs: performance.now() - started, rows } satisfies TracedStatement)
      }
    },
  }
}
