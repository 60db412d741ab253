/** How much is thrown; waves go on until both numbers are reached. */
export interface ChaosSettings {
  /** Processes that are ended by SIGKILL. */
  readonly kills: number
  /** Processes that are stopped until another has taken their lease over, and woken. */
  readonly pauses: number
  /** How many sources are synced side by side. */
  readonly sources: number
}

export const PROFILES = {
  short: { kills: 10, pauses: 5, sources: 4 },
  long: { kills: 1_000, pauses: 500, sources: 6 },
} as const satisfies Record<string, ChaosSettings>

/** Leases that are over soon, so that what happens after them happens often. */
export const LEASES = { ttlMs: 1_500, heartbeatMs: 300, marginMs: 300 }
