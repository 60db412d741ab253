import pg from 'pg'

export type Release = () => Promise<unknown>

/** One of the locks that are timed side by side; a part is null where it has no such thing. */
export interface Contender {
  readonly name: string
  /** What it does not do, or does another way. */
  readonly caveats: string
  /** Of its leases; null where each is a connection instead. */
  readonly table: string | null
  /** @returns null where the key is not free. */
  readonly tryAcquire: (key: string) => Promise<Release | null>
  /** Waits for a key as another process would. */
  readonly acquire: ((key: string) => Promise<Release>) | null
  /** Renews {@link LEASES} leases so often. */
  readonly renew: ((times: number) => Promise<readonly Renewal[]>) | null
  /** How many queries were sent for a key so far, where that is counted. */
  readonly countQueries?: (key: string) => number
}

export interface Renewal {
  readonly ms: number
  readonly statements: number
}

/** How many leases are renewed at once. */
export const LEASES = 100

/** As many workers acquire and release leases side by side, and as many connections has each contender. */
export const WORKERS = 8

/** It outlives the measurement: the process ends with `process.exit`. */
export const createPool = (url: string) => new pg.Pool({ connectionString: url, max: WORKERS, idleTimeoutMillis: 0 })
