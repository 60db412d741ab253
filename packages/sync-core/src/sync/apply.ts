import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import type { Origin } from '../git/origin.ts'
import type { Repository } from '../git/refs.ts'
import type { Plan } from '../plan/plan.ts'
import { nextBatchSize } from '../run/batch-size.ts'
import type { Budget } from '../run/budget.ts'
import type { RunProgress } from '../run/progress.ts'
import { refuseTooManyFailures } from '../run/stop.ts'
import { applyBatch } from '../store/apply-batch.ts'
import { prepareBatches } from './batches.ts'

const FIRST_BATCH_PAGES = 25
const MAX_BATCH_PAGES = 500

export interface ApplyOptions {
  readonly db: Database
  readonly lease: Lease
  readonly sourceId: string
  readonly repository: Repository
  readonly fetchBlobs: Origin['fetchBlobs']
  /** Files that earlier runs towards the same commit have quarantined. */
  readonly failedBefore: number
  readonly budget: Budget
  readonly progress: RunProgress
  /** Aborts with the budget and the lease. */
  readonly signal: AbortSignal
}

/** Writes batch after batch, reading and parsing the next one meanwhile, until the plan is done or the signal aborts. */
export async function applyPlan(plan: Plan, options: ApplyOptions): Promise<void> {
  const { db, lease, sourceId, repository, fetchBlobs, failedBefore, budget, progress, signal } = options
  const { imports, updates, renames } = plan.counts
  const total = imports + updates + renames + plan.rejected.length + failedBefore
  let failed = failedBefore
  let maxPages = FIRST_BATCH_PAGES
  const onRead = progress.countRead
  const batches = prepareBatches(plan, { repository, fetchBlobs, maxPages: () => maxPages, onRead, signal })
  for await (const batch of readAhead(batches)) {
    budget.throwIfExpired()
    signal.throwIfAborted()
    failed += batch.quarantined.length
    const last = batch.quarantined.at(-1)
    // Before it is written: what is quarantined would not be tried again, and its page would be gone.
    refuseTooManyFailures(
      failed,
      total,
      () => `files cannot be stored, the last of them ${last?.path}: ${last?.message}`,
    )
    lease.assertHeld()
    const started = performance.now()
    await applyBatch(db, lease, sourceId, batch)
    progress.countBatch(batch)
    maxPages = nextBatchSize(maxPages, MAX_BATCH_PAGES, batch.pages.length, performance.now() - started)
  }
}

/** Has the next item made while the consumer is busy with this one; one item ahead and no more. */
async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  const begin = () => {
    const next = items.next()
    // Awaited in the next round; until then a failure is not unhandled.
    next.catch(() => {})
    return next
  }
  let next = begin()
  try {
    for (;;) {
      const { value, done } = await next
      if (done) return
      next = begin()
      yield value
    }
  } finally {
    await items.return(undefined)
  }
}
