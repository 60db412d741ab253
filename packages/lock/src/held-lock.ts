/** A lock as the database has it. */
export interface LockState {
  readonly key: string
  /** Rises with every lease of this key, and with its end. */
  readonly token: bigint
  /** Who holds it; null where it is free or expired. */
  readonly holder: LockHolder | null
  /** What the holder noted when it took the lease. */
  readonly info: unknown
  readonly acquiredAt: Date
  readonly heldForMs: number
  /** How long ago the holder last showed that it is alive; null where that is not known. */
  readonly sinceRefreshMs: number | null
  /** Until when nobody else may take it; below 0 where it has expired. */
  readonly expiresInMs: number
  /** Why the lease before this one ended. */
  readonly ended: 'released' | 'expired' | 'broken' | 'deleted' | null
}

export interface LockHolder {
  readonly id: string
  readonly host: string
  readonly pid: number
}

/** A row of any statement that reads a lock, in the terms of the API. */
export function lockState(row: any): LockState {
  const expiresInMs = Number(row.expires_in_ms)
  return {
    key: row.key,
    token: BigInt(row.token),
    holder: row.holder_id === null || expiresInMs <= 0 ? null : holderOf(row),
    info: row.info,
    acquiredAt: new Date(row.acquired_at),
    heldForMs: Number(row.held_for_ms),
    sinceRefreshMs: row.since_refresh_ms === null ? null : Number(row.since_refresh_ms),
    expiresInMs,
    ended: row.ended,
  }
}

export function holderOf(row: any): LockHolder {
  return { id: row.holder_id, host: row.holder_host, pid: Number(row.holder_pid) }
}
