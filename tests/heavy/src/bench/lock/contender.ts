import pg from 'pg'

/** One of those that are timed side by side; a part is null where it has no such thing. */
export interface Contender {
  readonly name: string
  /** What it does not do, or does another way. */
  readonly caveats: string
  /** Of its leases; null where each is a connection instead. */
  readonly table: string | null
  /** Takes a key that is free. @returns what gives it up; null where it could not be had. */
  readonly take: (key: string) => Promise<(() => Promise<unknown>) | null>
  /** Waits for a key as another process would. @returns what gives it up. */
  readonly wait: ((key: string) => Promise<() => Promise<unknown>>) | null
  /** Renews {@link LEASES} leases so often. */
  readonly renew: ((times: number) => Promise<readonly Renewal[]>) | null
  /** How many queries were sent for a key so far, where that is counted. */
  readonly queries?: (key: string) => number
}

export interface Renewal {
  readonly ms: number
  readonly statements: number
}

/** How many leases are renewed at once. */
export const LEASES = 100

/** As many workers take and give up leases side by side, and as many connections has each contender. */
export const WORKERS = 8

/** It outlives the measurement: the process ends with `process.exit`. */
export const createPool = (url: string) => new pg.Pool({ connectionString: url, max: WORKERS, idleTimeoutMillis: 0 })
