import pg from 'pg'

/** One of those that are timed side by side; a part is null where it has no such thing. */
export interface Contender {
  readonly name: string
  /** What it does not do, or does another way. */
  readonly lacks: string
  /** Takes a key and gives it up. */
  readonly cycle: () => Promise<void>
  /** Renews {@link LEASES} leases. */
  readonly renew: (() => Promise<void>) | null
  /** Waits for a key and takes it. @returns what gives it up. */
  readonly take: ((key: string) => Promise<() => Promise<unknown>>) | null
  /** Statements sent so far, where that is counted. */
  readonly statements?: () => number
}

/** How many leases are renewed at once. */
export const LEASES = 100

/** The same pool for each of them. It outlives the measurement: the process ends with `process.exit`. */
export const poolOf = (url: string) => new pg.Pool({ connectionString: url, max: 4 })
