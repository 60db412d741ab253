/** A lock as the database has it. */
export interface LockState {
  readonly key: string
  /** Rises with every lease of this key, and when one is broken. */
  readonly token: bigint
  /** Who holds it; null where it is free or expired. */
  readonly holder: LockHolder | null
  /** What the holder noted when it took the lease, or since. */
  readonly info: unknown
  readonly acquiredAt: Date
  readonly heldForMs: number
  /** How long ago the holder last showed that it is alive; null where that is not known. */
  readonly sinceRefreshMs: number | null
  /** Until when nobody else may take it; below 0 where it has expired. */
  readonly expiresInMs: number
  /** Whether someone asked the holder to give it up. */
  readonly resignRequested: boolean
  /** Why the lease before this one ended. */
  readonly endReason: 'released' | 'expired' | 'broken' | null
}

export interface LockHolder {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly label: string | null
}

/** A row of any statement that reads a lock, in the terms of the API. */
export function lockState(row: any): LockState {
  const ages = parseAges(row)
  return withJson({
    key: row.key,
    token: BigInt(row.token),
    holder: row.holder_id === null || ages.expiresInMs <= 0 ? null : holderOf(row),
    info: row.info,
    acquiredAt: new Date(Number(row.acquired_ms)),
    ...ages,
    resignRequested: row.resign_requested,
    endReason: row.end_reason,
  })
}

/** Of a key that is kept without a holder, who had it last. */
export function holderOf(row: any): LockHolder {
  const { holder_id, holder_host: host, holder_pid: pid, holder_label: label } = row
  return { id: holder_id ?? `${host}:${pid}`, host, pid: Number(pid), label }
}

/** The times of a row against the database's own clock, as it was when the row was read; 0 where that was set back. */
export function parseAges(row: any): Pick<LockState, 'heldForMs' | 'sinceRefreshMs' | 'expiresInMs'> {
  return {
    heldForMs: Math.max(0, Number(row.held_for_ms)),
    sinceRefreshMs: row.since_refresh_ms === null ? null : Math.max(0, Number(row.since_refresh_ms)),
    expiresInMs: Number(row.expires_in_ms),
  }
}

/** The same, which JSON can hold: a bigint cannot be. */
export function withJson<T extends { readonly token: bigint }>(value: T): T {
  return Object.defineProperty(value, 'toJSON', { value: () => ({ ...value, token: String(value.token) }) })
}
