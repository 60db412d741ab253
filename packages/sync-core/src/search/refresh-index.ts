import type { Lease } from '@tidemark/lock'
import { within } from '../database/database.ts'
import { redact } from '../redact.ts'
import { fillIndex, finishIndex, unsearchedRun } from '../store/fill-index.ts'
import { fitting } from '../sync/fitting.ts'
import type { Run } from '../sync/run.ts'
import { languageOf } from '../sync/source.ts'
import { leaseKey } from '../sync/take-lease.ts'

const FIRST_PAGES = 5
const MOST_PAGES = 1_000

/**
 * Writes the entries of the search index that a source lacks, until all are in or the budget is spent; what is left is
 * found by the next run. It has a lease of its own: whoever syncs the source meanwhile waits for nothing.
 */
export async function refreshIndex(run: Run): Promise<void> {
  const { db, source, budget, tally } = run
  try {
    const attempt = await db.locks.tryAcquire(leaseKey(source.id, 'search'), { signal: budget.signal })
    // Another process is at it; what it does not come to see is left for the next run.
    if (!attempt.acquired) return
    await using lease = attempt.lease
    await underLease(run, lease)
  } catch (error) {
    const { message } = error as Error
    const why = budget.signal.aborted ? 'the next run goes on with it' : redact(message)
    tally.warnings.push({ code: 'search_behind', message: `the search index lacks some pages still: ${why}` })
  }
}

async function underLease({ db: outer, source, budget, tally }: Run, lease: Lease): Promise<void> {
  const signal = AbortSignal.any([budget.signal, lease.signal])
  const db = within(outer, signal)
  const language = languageOf(source)
  const paths = tally.unsearched === 'all' ? null : tally.unsearched
  const seen = await unsearchedRun(db, source.id)
  // Pages that have just come in have no statistics yet, and PGlite never gets them by itself: each batch would sort all
  // that are left to find the next.
  if (paths === null) await db.query('ANALYZE tidemark.pages (source_id, id)')
  let size = FIRST_PAGES
  for (let after = '0'; ; ) {
    budget.check()
    signal.throwIfAborted()
    const started = performance.now()
    const filled = await fillIndex(db, lease, { sourceId: source.id, language, paths, after, pages: size })
    if (filled.last === null) break
    after = filled.last
    tally.moved()
    size = fitting(size, MOST_PAGES, filled.pages, performance.now() - started)
  }
  await finishIndex(db, lease, { sourceId: source.id, language, seen })
  // How many entries there are, and which words are common, decides how they are searched.
  if (paths === null) await db.query('ANALYZE tidemark.search_chunks')
}
