import { channel } from 'node:diagnostics_channel'
import { resolve } from 'node:path'
import type { Locks, LocksOptions, Queryable } from '@tidemark/lock'
import { createLocks } from '@tidemark/lock'
import { SyncError } from '../sync-error.ts'

/** One way to talk to Postgres or PGlite. */
export interface Database {
  readonly engine: 'postgres' | 'pglite'
  /** Where it is, without a password, to show to people. */
  readonly name: string
  /** Leases in `tidemark.locks`; they end with `close()`. */
  readonly locks: Locks
  /**
   * Runs one statement. Rows hold `bigint` as text, `timestamptz` as `Date`, `json` as values.
   *
   * @param signal ends the wait. What the server is doing then may take a moment longer to succeed; after that a
   *   Postgres is told to give it up, and its connection is dropped where even that brings no answer.
   * @throws the database's error, or the signal's reason.
   */
  query<Row = any>(text: string, params?: unknown[], signal?: AbortSignal): Promise<{ rows: Row[] }>
  /** Gives up the leases that are still held and closes the connections. */
  close(): Promise<void>
}

/** What an engine brings; the rest of {@link Database} is the same for both. */
export type Connection = Pick<Database, 'engine' | 'name' | 'query' | 'close'>

/** A lease's statement that has no answer is given up, and with it a connection that is dead without knowing it. */
const LEASE_STATEMENT_MS = 20_000

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
  const connection = traced(await open(where, signal))
  const queryable: Queryable = {
    query: (text, params) => connection.query(text, params, AbortSignal.timeout(LEASE_STATEMENT_MS)),
  }
  const locks = createLocks(queryable, { ...leases, table: 'tidemark.locks' })
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

/** The same database, whose statements end with the signal. */
export function within(db: Database, signal: AbortSignal): Database {
  return { ...db, query: (text, params, own = signal) => db.query(text, params, own) }
}

/** A statement that has ended, as `tidemark:sql` tells it; without its parameters, which are the users' own. */
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
        const elapsedMs = performance.now() - started
        statements.publish({ text, elapsedMs, rows } satisfies TracedStatement)
      }
    },
  }
}

/** Whether that is the folder of an embedded database rather than the address of a server. */
export function isEmbedded(where: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:\/\//i.test(where)
}

async function open(where: string, signal: AbortSignal | undefined): Promise<Connection> {
  // Only the engine that is used is loaded: the other one costs a command that starts anew each minute.
  if (/^postgres(ql)?:\/\//.test(where)) return (await import('./postgres.ts')).openPostgres(where, signal)
  if (where.trim() === '' || !isEmbedded(where)) {
    throw new SyncError(
      'DATABASE_REFUSED',
      'The database address is neither Postgres nor a folder',
      'Give postgres://user@host/database, or the path of a folder for an embedded database.',
    )
  }
  return (await import('./pglite.ts')).openPglite(resolve(where))
}
