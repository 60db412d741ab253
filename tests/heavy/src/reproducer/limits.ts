/** The times that a cron sets, in real milliseconds; scaled where they are hours and minutes of the account. */
export interface Limits {
  readonly hourMs: number
  /** A wave in one process is killed after it: 1,803 seconds. */
  readonly waveMs: number
  /** `--timeout 540`, in whole seconds because the flag takes no others. */
  readonly budgetSeconds: number
  /** `timeout 600` around it. */
  readonly hardMs: number
  /** What the incumbent's lock lasts where nothing refreshes it. */
  readonly legacyTtlMs: number
}

/**
 * Starting a process takes as long here as where an hour is an hour, and would be minutes of a scaled one. Every hard
 * limit of every policy is longer by this.
 */
export const START_MS = 1_000

/** 540 seconds of the account's are so many here. */
export function limitsFor(budgetSeconds: number): Limits {
  const second = (budgetSeconds * 1_000) / 540
  return {
    hourMs: 3_600 * second,
    waveMs: 1_803 * second + START_MS,
    budgetSeconds,
    hardMs: 600 * second + START_MS,
    // A lock without a sign of life has to outlast the longest run that it protects.
    legacyTtlMs: 5_400 * second,
  }
}
