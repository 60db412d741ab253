/**
 * Opens a Postgres by its address (`postgres/`, a pool) or a PGlite by its folder (`pglite/`, a process that one
 * program may have and that ends with it). A statement ends with its signal: Postgres is sent a CancelRequest, PGlite
 * finishes, or is killed and started anew. Leases share the connection with a time limit of their own, so a dead connection ends with them.
 */
import { channel } from 'node:diagnostics_channel'
import { createLocks, type LocksOptions } from '@tidemark/lock'
import { raceTimeout } from '../race-abort.ts'
import { traced } from '../trace.ts'
import { parseDatabaseAddress } from './address.ts'
import type { Connection, Database } from './database.ts'
import type { LockOptions } from './pglite/lock.ts'

/** After which a lease's statement without an answer is given up. */
const LEASE_STATEMENT_TIMEOUT_MS = 20_000
/** What giving up leases and connections may take; a server that has gone silent takes longer than anyone waits. */
const CLOSE_TIMEOUT_MS = 3_000

/** How long leases last, as `createLocks` of `@tidemark/lock` has it, and how the database is waited for. */
export type DatabaseOptions = Pick<LocksOptions, 'ttlMs' | 'heartbeatMs' | 'marginMs'> & {
  /** Ends the wait for a server to answer, or for the process that has an embedded database. */
  readonly signal?: AbortSignal | undefined
  /** How long to wait for another process that has an embedded database; not at all by default. */
  readonly waitMs?: number | undefined
  /** Whether the database is to refuse whatever would write to it. */
  readonly readOnly?: boolean | undefined
  /** What this process does, for those that find an embedded database in use: `tidemark sync`. */
  readonly label?: string | undefined
}

/**
 * Opens a Postgres by its address, or a PGlite by its folder, which is made where there is none.
 *
 * ```ts
 * const db = await openDatabase(process.env.DATABASE_URL ?? '.tidemark/db')
 * await migrate(db)
 * ```
 * @param where `postgres://…`, `postgresql://…`, or the path of a folder.
 * @throws {SyncError} `DATABASE_UNREACHABLE`, `DATABASE_REFUSED`, `DATABASE_IN_USE`, `DATABASE_FOLDER`,
 *   `DATABASE_FULL`; or the signal's reason.
 */
export async function openDatabase(
  where: string,
  { signal, waitMs, label, readOnly, ...leases }: DatabaseOptions = {},
): Promise<Database> {
  signal?.throwIfAborted()
  const connection = await connect(where, { signal, waitMs, label, readOnly })
  const query: Database['query'] = (text, params, signal) =>
    traced(statements, connection.query(text, params, signal), (elapsedMs, result): TracedStatement => {
      return { text, elapsedMs, rows: result?.rows.length ?? null }
    })
  const leaseQuery = (text: string, params?: unknown[]) =>
    query(text, params, AbortSignal.timeout(LEASE_STATEMENT_TIMEOUT_MS))
  const locks = createLocks({ query: leaseQuery }, { ...leases, table: 'tidemark.locks' })
  return { ...connection, query, locks, close: () => locks.close().finally(connection.close) }
}

/**
 * Closes a database after work whose results stand, whatever comes of closing it.
 * @param onError called with what went wrong; a lease that is still held then expires within its TTL.
 */
export async function closeDatabase(db: Database, onError: (error: Error) => void): Promise<void> {
  const closing = db.close().catch(onError)
  // An embedded database writes its files then, which must not be cut short.
  await (db.engine === 'pglite' ? closing : raceTimeout(closing, CLOSE_TIMEOUT_MS))
}

async function connect(
  where: string,
  options: LockOptions & { readonly readOnly?: boolean | undefined },
): Promise<Connection> {
  const address = parseDatabaseAddress(where)
  // Only the engine that is used is loaded: the other one costs a command that starts anew each minute.
  if (address.engine === 'postgres') return (await import('./postgres/open.ts')).openPostgres(address, options)
  return (await import('./pglite/open.ts')).openPglite(address.folder, options)
}

/** A statement that has ended, as published on the diagnostics channel `tidemark:sql`; without its parameters. */
export interface TracedStatement {
  readonly text: string
  readonly elapsedMs: number
  /** How many rows came back; null where it failed. */
  readonly rows: number | null
}

const statements = channel('tidemark:sql')
