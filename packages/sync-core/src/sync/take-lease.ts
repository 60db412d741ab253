import { type Lease, LockError } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import type { Outcome } from '../run/outcome.ts'

/** What is done with a source under a lease of its own. */
export type LeasedWork = 'sync' | 'embed' | 'search'

/** The key of a source's lease. */
export const leaseKey = (sourceId: string, work: LeasedWork = 'sync') => `${work}:${sourceId}`

/** Takes a lease of a source, at once or within `waitMs`; or tells who has it. */
export async function takeLease(
  db: Database,
  sourceId: string,
  waitMs: number | undefined,
  signal: AbortSignal,
  work: LeasedWork = 'sync',
): Promise<Lease | Extract<Outcome, { status: 'busy' }>> {
  const key = leaseKey(sourceId, work)
  if (waitMs) {
    try {
      return await db.locks.acquire(key, { waitMs, signal })
    } catch (error) {
      if (!(error instanceof LockError) || error.code !== 'LOCK_TIMEOUT') throw error
    }
  }
  const attempt = await db.locks.tryAcquire(key, { signal })
  if (attempt.acquired) return attempt.lease
  const { holder, heldForMs, sinceRefreshMs } = attempt
  return { status: 'busy', holder: { host: holder.host, pid: holder.pid, heldForMs, sinceRefreshMs } }
}
