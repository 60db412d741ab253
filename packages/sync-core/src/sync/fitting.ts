/** How long a statement should take: the most that a run can overstay its budget by, and a heartbeat its time. */
const TARGET_MS = 100

/** Moves half of the way or more towards the size that takes the target time, never further than double. */
export function fitting(size: number, most: number, done: number, tookMs: number): number {
  if (done < size / 2) return size
  const fits = (done * TARGET_MS) / Math.max(tookMs, 1)
  return Math.max(1, Math.min(most, Math.round(fits), size * 2))
}
