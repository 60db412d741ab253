import type { Locks } from '@tidemark/lock'

/** One way to talk to Postgres or PGlite. */
export interface Database {
  readonly engine: 'postgres' | 'pglite'
  /** Where it is, without a password, to show to people. */
  readonly name: string
  /** Leases in `tidemark.locks`; they end with `close()`. */
  readonly locks: Locks
  /**
   * Runs one statement. Rows hold `bigint` as text, `timestamptz` as `Date`, `json` as values.
   * @param signal ends the wait. What the server is doing then may take a moment longer to succeed; after that a
   * Postgres is sent a cancel request, and its connection is dropped where even that brings no answer.
   * @throws the database's error, or the signal's reason.
   */
  query<Row = any>(text: string, params?: unknown[], signal?: AbortSignal): Promise<{ rows: Row[] }>
  /**
   * Listens to a channel of `NOTIFY` until the signal aborts or the connection is lost.
   * @throws the database's error where it cannot be listened to.
   */
  listen(channel: string, listening: Listening, signal: AbortSignal): Promise<void>
  /** Gives up the leases that are still held and closes the connections. */
  close(): Promise<void>
}

export interface Listening {
  readonly onNotification: (payload: string) => void
  /** Nothing more is heard. */
  readonly onLost: () => void
}

/** What an engine brings; the rest of {@link Database} is the same for both. */
export type Connection = Omit<Database, 'locks'>

/** The same database, whose statements end with the signal. */
export function withSignal(db: Database, signal: AbortSignal): Database {
  return { ...db, query: (text, params, own = signal) => db.query(text, params, own) }
}
