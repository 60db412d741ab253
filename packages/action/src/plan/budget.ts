export interface BudgetLimits {
  readonly leastMs: number
  readonly mostMs: number
}

/** A run may take half as long again as 95 of 100 did: repositories grow, and runners differ by that much. */
const HEAD_ROOM = 1.5

/**
 * How long the next run of a source may take.
 *
 * @param usualMs what 95 of 100 of its runs took at most; null where its history says nothing of what is to be done.
 */
export function budgetMs(usualMs: number | null, { leastMs, mostMs }: BudgetLimits): number {
  if (usualMs === null) return mostMs
  return Math.round(Math.min(mostMs, Math.max(leastMs, usualMs * HEAD_ROOM)))
}
