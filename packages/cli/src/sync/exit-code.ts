import type { SyncResult } from '@tidemark/sync-core'

/** With several sources the first that applies: a fault, then a decision to be made, then a live holder. */
export function exitCodeOf(results: readonly SyncResult[]): number {
  const statuses = new Set(results.map(({ status }) => status))
  if (statuses.has('failed')) return 1
  if (statuses.has('blocked') || statuses.has('blocked_by_failures')) return 3
  return statuses.has('busy') ? 4 : 0
}
