import { LockError } from './lock-error.ts'

export interface LockHolder {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly label: string | null
}

/** What a row says of a lease; its times are by the database's clock, 0 where that was set back since. */
export interface LockFacts {
  readonly key: string
  /** Rises with every lease of this key, and when one is broken. */
  readonly token: bigint
  /** What the holder stored when it took the lease, or since. */
  readonly info: unknown
  readonly heldForMs: number
  /** How long ago the holder last showed that it is alive; null where that is not known. */
  readonly sinceRefreshMs: number | null
  /** For how long no one else can take it; below 0 where it has expired. */
  readonly expiresInMs: number
}

/** A lock as the database has it. */
export interface LockState extends LockFacts {
  /** Who holds it; null where it is free or expired. */
  readonly holder: LockHolder | null
  readonly acquiredAt: Date
  /** Whether someone asked the holder to give it up. */
  readonly resignRequested: boolean
  /** Why the lease before this one ended. */
  readonly endReason: 'released' | 'expired' | 'broken' | null
}

/** A row of `inspect` or `list`, in the terms of the API. */
export function parseLockState(row: any): LockState {
  const lock = parseLock(row)
  return withJson({
    ...lock,
    holder: row.holder_id === null || lock.expiresInMs <= 0 ? null : lock.holder,
    acquiredAt: new Date(Number(row.acquired_ms)),
    resignRequested: row.resign_requested,
    endReason: row.end_reason,
  })
}

/** What every row that reads a lock has; where nobody has the key now, `holder` is who had it last. */
export function parseLock(row: any): LockFacts & { readonly holder: LockHolder } {
  const renamed = 'this client renames columns: give createLocks one that does not'
  // A TypeError as the cause, so that nobody retries it.
  if (row.held_for_ms === undefined) throw new LockError('LOCK_FAILED', renamed, new TypeError())
  const { holder_id, holder_host: host, holder_pid: pid, holder_label: label, since_refresh_ms: since } = row
  return {
    key: row.key,
    token: BigInt(row.token),
    holder: { id: holder_id ?? `${host}:${pid}`, host, pid: Number(pid), label },
    info: row.info,
    heldForMs: Math.max(0, Number(row.held_for_ms)),
    sinceRefreshMs: since === null ? null : Math.max(0, Number(since)),
    expiresInMs: Number(row.expires_in_ms),
  }
}

/** Lets JSON hold it: the token becomes a text there. */
export function withJson<T extends { readonly token: bigint }>(value: T): T {
  return Object.defineProperty(value, 'toJSON', { value: () => ({ ...value, token: String(value.token) }) })
}
