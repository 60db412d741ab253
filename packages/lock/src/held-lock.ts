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
  const ages = agesOf(row)
  return {
    key: row.key,
    token: BigInt(row.token),
    holder: row.holder_id === null || ages.expiresInMs <= 0 ? null : holderOf(row),
    info: row.info,
    acquiredAt: new Date(row.acquired_at),
    ...ages,
    ended: row.ended,
  }
}

export function holderOf(row: any): LockHolder {
  return { id: row.holder_id, host: row.holder_host, pid: Number(row.holder_pid) }
}

/** The times of a row against the database's own clock, as it was when the row was read. */
export function agesOf(row: any): Pick<LockState, 'heldForMs' | 'sinceRefreshMs' | 'expiresInMs'> {
  const ms = (time: unknown) => new Date(time as Date).getTime()
  const now = ms(row.now)
  return {
    heldForMs: now - ms(row.acquired_at),
    sinceRefreshMs: row.last_refreshed_at === null ? null : now - ms(row.last_refreshed_at),
    expiresInMs: ms(row.expires_at) - now,
  }
}
