import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import type { Origin } from '../git/origin.ts'
import type { Repository } from '../git/repository.ts'
import type { Plan } from '../plan/plan.ts'
import { applyBatch } from '../store/apply-batch.ts'
import { type PreparedBatch, prepareBatches } from './batches.ts'
import type { Budget } from './budget.ts'
import { fitting } from './fitting.ts'
import { TooManyFailures, tooManyFailures } from './too-many-failures.ts'

const FIRST_PAGES = 25
const MOST_PAGES = 500

export interface Application {
  readonly db: Database
  readonly lease: Lease
  readonly sourceId: string
  readonly repository: Repository
  readonly bring: Origin['bring']
  readonly plan: Plan
  /** Files that earlier runs towards the same end have set aside. */
  readonly failedBefore: number
  readonly budget: Budget
  readonly signal: AbortSignal
  /** Told of each blob that was read. */
  readonly onRead: () => void
  /** Told of each batch that is in. */
  readonly onStored: (batch: PreparedBatch) => void
}

/** Writes batch after batch, reading and parsing the next one meanwhile, until the plan is done or the signal aborts. */
export async function applyPlan(application: Application): Promise<void> {
  const { db, lease, sourceId, repository, bring, plan, failedBefore, budget, signal } = application
  const { onRead, onStored } = application
  const { imports, updates, renames } = plan.counts
  let failed = failedBefore
  const total = imports + updates + renames + plan.refused.length + failedBefore
  let pagesPerBatch = FIRST_PAGES
  const reading = { repository, bring, plan, pagesPerBatch: () => pagesPerBatch, onRead, signal }
  const batches = prepareBatches(reading)
  for await (const batch of readAhead(batches)) {
    budget.check()
    signal.throwIfAborted()
    failed += batch.quarantined.length
    // Before it is written: what is set aside would not be tried again, and its page would be gone.
    if (tooManyFailures(failed, total)) {
      throw new TooManyFailures(
        `${failed} of ${total} files cannot be stored, the last of them ${batch.quarantined.at(-1)?.path}: ${batch.quarantined.at(-1)?.message}`,
      )
    }
    lease.assertHeld()
    const started = performance.now()
    await applyBatch(db, lease, sourceId, batch)
    onStored(batch)
    pagesPerBatch = fitting(pagesPerBatch, MOST_PAGES, batch.pages.length, performance.now() - started)
  }
}

/** Has the next item made while the consumer is busy with this one; one item ahead and no more. */
async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  const begin = () => {
    const next = items.next()
    // Awaited in the next turn; until then a failure is not unhandled.
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
