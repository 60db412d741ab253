import type { SourceStatus } from '@tidemark/sync-core'
import { isSilent, problemOfSilentHolder } from './lease-problem.ts'
import type { Problem } from './problem.ts'
import { isStuck, problemOfStatus } from './status-problem.ts'

/** The parts of where a source stands that may be wrong. */
export type Standing = Pick<SourceStatus, 'id' | 'lease' | 'lastStatus'>

/** The lease of a source whose holder no longer shows life; null where there is none. */
export const problemOfLease = ({ id, lease }: Standing): Problem | null =>
  lease !== null && lease.expiresInMs > 0 && isSilent(lease) ? problemOfSilentHolder(lease, id, 'sync') : null

/** What is wrong with a source as the database knows it; null where nothing is. */
export function problemOfSource(standing: Standing): Problem | null {
  const { id, lastStatus } = standing
  return problemOfLease(standing) ?? (isStuck(lastStatus) ? problemOfStatus(lastStatus, id, 'sync') : null)
}
