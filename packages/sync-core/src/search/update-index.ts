import type { Database } from '../database/database.ts'
import { redact } from '../redact.ts'
import { type Budget, nextBatchSize } from '../run/budget.ts'
import { acquireLease, type Held, leaseKey } from '../run/lease.ts'
import { holderText } from '../run/next-steps.ts'
import { retryLost } from '../run/retry-lost.ts'
import { finishIndex, indexBatch, readUnindexedRun, sortIndex, type Unindexed } from '../store/search/index-batch.ts'
import { createIndexText } from '../store/search/index-text.ts'

const FIRST_BATCH_PAGES = 5
const MAX_BATCH_PAGES = 1_000

export interface IndexUpdate extends Unindexed {
  readonly budget: Budget
  /** Called after each batch that is in, with how many pages it had. */
  readonly onBatch: (pages: number) => void
}

/**
 * Writes the entries that the search index lacks; what the budget leaves is found by the next run. Its own lease keeps
 * nobody from syncing. Returns why pages are missing; null where none are.
 */
export async function updateSearchIndex(db: Database, update: IndexUpdate): Promise<string | null> {
  const { signal } = update.budget
  try {
    const acquired = await acquireLease(db, leaseKey(update.sourceId, 'search'), { signal })
    if ('status' in acquired) return `the search index lacks some pages still: ${holderText(acquired.holder)} writes it`
    await using held = acquired
    await retryLost(held.signal, () => indexPages(held, update))
    return null
  } catch (error) {
    const why = signal.aborted ? 'the next run goes on with it' : redact((error as Error).message)
    return `the search index lacks some pages still: ${why}`
  }
}

async function indexPages(held: Held, update: IndexUpdate): Promise<void> {
  const { db, signal } = held
  const { sourceId, paths, budget, onBatch } = update
  const run = await readUnindexedRun(db, sourceId)
  // New pages have no statistics, and PGlite never makes them by itself: each batch would sort all that are left.
  if (paths === null) await db.query('ANALYZE tidemark.pages (source_id, id)')
  const indexText = createIndexText()
  let maxPages = FIRST_BATCH_PAGES
  for (let after = '0'; ; ) {
    budget.throwIfExpired()
    signal.throwIfAborted()
    const started = performance.now()
    const { last, pages } = await indexBatch(held, update, after, maxPages, indexText)
    if (last === null) break
    after = last
    onBatch(pages)
    maxPages = nextBatchSize(maxPages, MAX_BATCH_PAGES, pages, performance.now() - started)
  }
  await sortIndex(db)
  await finishIndex(held, update, run)
  // How many entries there are, and which words are common, decides how they are searched.
  if (paths === null) await db.query('ANALYZE tidemark.search_chunks')
}
