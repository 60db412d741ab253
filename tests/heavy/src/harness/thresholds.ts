/** What we promise of our policies in the reproduction: the share of waves with progress, and hours of staleness. */
export const MIN_PROGRESSED = 0.95
export const MAX_STALE_HOURS = 2

/** Of the old policy's runs the account has 4 of 12 that were not killed; in fewer hours than a day's a share says little. */
export const MIN_OLD_NOT_KILLED = 0.2
export const MAX_OLD_NOT_KILLED = 0.45
export const MIN_HOURS_OF_ACCOUNT = 24

/** What is read ahead of what is written: two batches, the first of which has 25 pages. */
export const MAX_PAGES_READ_AGAIN = 50
/** The same where writing is fast and a batch has up to 500. */
export const MAX_PAGES_READ_AGAIN_FAST = 1_000

export const MAX_PEAK_MB = 200

/** Whether a run that finds nothing new takes the same with few pages and with many, but for noise. */
export const isFlat = (smallMs: number, largeMs: number) => largeMs <= 1.5 * smallMs + 50

export const MAX_OVERSHOOT_MS = 250
/** What the command may take beside what any command of Node does. */
export const MAX_COMMAND_MS = 120
/** From the webhook of a push, at the 95th percentile. */
export const MAX_STORED_MS = 500
export const MAX_SEARCHABLE_MS = 2_000
export const MAX_NOOP_MS = { postgres: 100, pglite: 60 }
/** What a text search may take, at the 95th percentile. */
export const MAX_SEARCH_MS = { postgres: 50, pglite: 150 }
export const MAX_BASELINE_FACTOR = 1.3
/** With fewer pages, what a process does once is most of what a first import takes. */
export const MIN_PAGES_TO_COMPARE = 500

/** Of the lock. Times are ratios to what another does in the same run, or milliseconds. */
export const LOCK = {
  maxWaiterQueriesPerSecond: 10,
  minHotShare: 0.95,
  maxOfVerrou: 1.05,
  maxOfMinimalLease: 1.5,
  maxHandoffMs: 100,
  maxListeningHandoffMs: 20,
  maxSnapshotSlowdown: 1.3,
}
