import { nextBatchSize } from '../run/budget.ts'
import { refuseTooManyFailures } from '../run/outcome-from-error.ts'
import { applyBatch } from '../store/apply-batch.ts'
import { type Applying, prepareBatches } from './prepare-batches.ts'

const FIRST_BATCH_PAGES = 25
const MAX_BATCH_PAGES = 500

/** Writes batch after batch, reading and parsing the next one meanwhile, until the plan is done or the signal aborts. */
export async function applyPlan(applying: Applying): Promise<void> {
  const { plan, held, sourceId, failedBefore, budget, progress } = applying
  const { filesImported, filesUpdated, filesRenamed, filesQuarantined } = plan.counts
  const total = filesImported + filesUpdated + filesRenamed + filesQuarantined + failedBefore
  let failed = failedBefore
  let maxPages = FIRST_BATCH_PAGES
  for await (const batch of readAhead(prepareBatches(applying, () => maxPages))) {
    budget.throwIfExpired()
    held.signal.throwIfAborted()
    failed += batch.quarantined.length
    const last = batch.quarantined.at(-1)
    const what = `files cannot be stored, the last of them ${last?.path}: ${last?.message}`
    // Before it is written: what is quarantined would not be tried again, and its page would be gone.
    refuseTooManyFailures(failed, total, what)
    held.lease.assertHeld()
    const started = performance.now()
    await applyBatch(held, sourceId, batch)
    progress.countBatch(batch.counts, batch.pages)
    maxPages = nextBatchSize(maxPages, MAX_BATCH_PAGES, batch.pages.length, performance.now() - started)
  }
}

/** Has the next item made while the consumer is busy with this one; one item ahead and no more. */
async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next()
  try {
    for (;;) {
      const { value, done } = await next
      if (done) return
      next = items.next()
      // Awaited in the next round; until then a failure is not unhandled.
      next.catch(() => {})
      yield value
    }
  } finally {
    await items.return(undefined)
  }
}
