/** How long a statement should take: the most that a run can overstay its budget by, and a heartbeat its time. */
const TARGET_MS = 100

/**
 * The size of the next batch: half of the way or more towards what takes the target time, never more than double.
 *
 * @param processed how many items the last batch had; with few, how long it took says little.
 */
export function nextBatchSize(current: number, max: number, processed: number, elapsedMs: number): number {
  if (processed < current / 2) return current
  const fitting = Math.round((processed * TARGET_MS) / Math.max(elapsedMs, 1))
  return Math.max(1, Math.min(max, fitting, current * 2))
}
