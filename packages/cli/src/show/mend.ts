import type { SourceStanding } from '@tidemark/sync-core'

/** A lease lasts 90 s without a heartbeat; whoever holds one longer without has died or runs an older program. */
const LEASE_TTL_MS = 90_000

/** Whether the holder of a lease has shown no sign of life for longer than it may. */
export function isStuck(lease: SourceStanding['lease']): boolean {
  return lease !== null && lease.expiresInMs > 0 && (lease.sinceRefreshMs ?? 0) > LEASE_TTL_MS
}

/** What is wrong with a source and the command that puts it right; null where nothing is. */
export function mendOf({
  id,
  lease,
  lastStatus,
}: Pick<SourceStanding, 'id' | 'lease' | 'lastStatus'>): { problem: string; mend: string } | null {
  const sync = `tidemark sync --source ${id}`
  if (lease !== null && isStuck(lease)) {
    return {
      problem: `process ${lease.pid} on ${lease.host} holds its lease and shows no sign of life`,
      mend: `${sync} --break-lock-if-stale 90s`,
    }
  }
  if (lastStatus === 'blocked')
    return { problem: 'most of it would be deleted', mend: `${sync} --allow-mass-delete` }
  if (lastStatus === 'blocked_by_failures')
    return { problem: 'too many of its files cannot be stored', mend: `${sync} --retry-quarantined` }
  if (lastStatus === 'failed') return { problem: 'its last run failed', mend: sync }
  return null
}
