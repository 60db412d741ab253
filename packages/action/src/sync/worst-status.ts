import type { SyncResult, SyncStatus } from '@tidemark/sync-core'

const WORST_FIRST: readonly SyncStatus[] = [
  'failed',
  'blocked',
  'blocked_by_failures',
  'busy',
  'partial',
  'first_sync',
  'synced',
  'up_to_date',
]

/** The status that a step with several sources has: the first of them that someone should look at. */
export function worstStatus(results: readonly SyncResult[]): SyncStatus {
  const statuses = new Set(results.map(({ status }) => status))
  return WORST_FIRST.find((status) => statuses.has(status)) ?? 'up_to_date'
}

export type FailOn = 'failed' | 'blocked' | 'never'

const FAILING: Record<FailOn, readonly SyncStatus[]> = {
  failed: ['failed'],
  blocked: ['failed', 'blocked', 'blocked_by_failures'],
  never: [],
}

/** The results that fail the step. */
export function failing(results: readonly SyncResult[], failOn: FailOn): SyncResult[] {
  return results.filter(({ status }) => FAILING[failOn].includes(status))
}
