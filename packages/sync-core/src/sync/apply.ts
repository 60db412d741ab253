import { readAhead } from '../read-ahead.ts'
import { redact } from '../redact.ts'
import { nextBatchSize } from '../run/budget.ts'
import { refuseTooManyFailures } from '../run/outcome-from-error.ts'
import { applyBatch, type EncodedBatch, encodeBatch } from '../store/apply-batch.ts'
import { type Batch, createBatch } from './batch.ts'
import { type Applying, prepareBatches } from './prepare-batches.ts'

const FIRST_BATCH_PAGES = 25
const MAX_BATCH_PAGES = 500

/** Writes batch after batch, reading and parsing the next one meanwhile, until the plan is done or the signal aborts. */
export async function applyPlan(applying: Applying): Promise<void> {
  const { plan, held, sourceId, failedBefore, budget, progress, follower } = applying
  const { filesImported, filesUpdated, filesRenamed, filesQuarantined } = plan.counts
  const total = filesImported + filesUpdated + filesRenamed + filesQuarantined + failedBefore
  let failed = failedBefore
  /** Writes a batch, or what is left of it where the database refuses a file of it. */
  const write = async (batch: Batch, encoded: EncodedBatch): Promise<void> => {
    // Before it is written: what is quarantined would not be tried again, and its page would be gone.
    const failedNow = failed + batch.quarantined.length
    const last = batch.quarantined.at(-1)
    const what = `files cannot be stored, the last of them ${last?.path}: ${last?.message}`
    refuseTooManyFailures(failedNow, total, what)
    held.lease.assertHeld()
    try {
      await applyBatch(held, sourceId, encoded, progress.target)
    } catch (error) {
      const reason = refusalReason(error)
      if (reason === null || batch.pages.length === 0) throw error
      const half = batch.halve()
      if (half === null) batch.refuse('refused_by_database', reason)
      for (const part of half ? [batch, createBatch([], half)] : [batch]) await write(part, encodeBatch(part))
      return
    }
    failed = failedNow
    progress.countBatch(batch.counts, batch.pages)
    follower?.countBatch()
  }
  let maxPages = FIRST_BATCH_PAGES
  for await (const { batch, encoded } of readAhead(encodeEach(prepareBatches(applying, () => maxPages)))) {
    budget.throwIfExpired()
    held.signal.throwIfAborted()
    const { length } = batch.pages
    const started = performance.now()
    await write(batch, encoded)
    maxPages = nextBatchSize(maxPages, MAX_BATCH_PAGES, length, performance.now() - started)
  }
}

/** So that nothing is left to do between one statement and the next. */
async function* encodeEach(batches: AsyncIterable<Batch>) {
  for await (const batch of batches) yield { batch, encoded: encodeBatch(batch) }
}

/** Of a value that it cannot hold, of a rule that a row breaks, of a limit that it exceeds: by the classes of SQLSTATE. */
const REFUSALS: Record<string, string> = {
  22: 'the database cannot hold a value of it',
  23: 'it breaks a rule of the database',
  54: 'something in it is longer than the database can hold',
}

/** Why the database refuses what a statement writes, for the person who can fix the file; null for any other fault. */
function refusalReason(error: unknown): string | null {
  const { code, message } = error as { code?: unknown; message?: string }
  const reason = typeof code === 'string' && code.length === 5 ? REFUSALS[code.slice(0, 2)] : undefined
  return reason === undefined ? null : `${reason} (${code}: ${redact(String(message))})`
}
