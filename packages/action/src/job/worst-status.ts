import type { SyncStatus } from '@tidemark/sync-core'

/** A result, of which only how it ended counts. */
export interface Ended {
  readonly status: SyncStatus
}

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
export function worstStatus(results: readonly Ended[]): SyncStatus {
  const statuses = new Set(results.map(({ status }) => status))
  return WORST_FIRST.find((status) => statuses.has(status)) ?? 'up_to_date'
}

/** For the input `fail-on`. */
export const FAIL_ON = ['failed', 'blocked', 'never'] as const

export type FailOn = (typeof FAIL_ON)[number]

const FAILING: Record<FailOn, readonly SyncStatus[]> = {
  failed: ['failed'],
  blocked: ['failed', 'blocked', 'blocked_by_failures'],
  never: [],
}

/** Whether one of the results fails the step. */
export function failsStep(results: readonly Ended[], failOn: FailOn): boolean {
  return results.some(({ status }) => FAILING[failOn].includes(status))
}
