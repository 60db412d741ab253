import pMap from 'p-map'
import type { Database } from '../database/database.ts'
import { readAhead } from '../read-ahead.ts'
import { redact } from '../redact.ts'
import { type Budget, nextBatchSize } from '../run/budget.ts'
import { acquireLease, type Held, leaseKey } from '../run/lease.ts'
import { holderText } from '../run/next-steps.ts'
import { retryLost } from '../run/retry-lost.ts'
import {
  beginIndex,
  countUnindexed,
  finishIndex,
  type IndexBatch,
  prepareEntries,
  readUnindexed,
  sortIndex,
  type Unindexed,
  writeEntries,
} from '../store/search/index-batch.ts'
import { createIndexText } from '../store/search/index-text.ts'

const FIRST_BATCH_PAGES = 5
const MAX_BATCH_PAGES = 1_000
/** A server works on so many batches at a time: it has more than one core, and this process prepares text with one. */
const WRITERS = 2
const FIRST_ANALYZE_PAGES = 2_000
/** Beside an import a writer rests so many times as long as it writes: that all is in comes first. */
const REST_FACTOR = 5

/** How an import that is followed gets on. */
interface Importing {
  /** How many batches of it are in. */
  batches(): number
  /** Waits for a batch beyond so many. Returns false where the import has ended without one. */
  more(batches: number): Promise<boolean>
  /** Waits so long, or until the import has ended. */
  pause(ms: number): Promise<void>
}

export interface IndexUpdate extends Unindexed {
  readonly budget: Budget
  /** An import whose pages are indexed while it is under way. */
  readonly importing?: Importing | undefined
  /** Called with how many pages are in, of so many where that is known. */
  readonly onBatch: (done: number, total: number | null) => void
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
  const { db } = held
  const { sourceId, paths, importing, onBatch } = update
  const run = await beginIndex(held, update)
  if (paths === null) await analyzePages(db)
  const total = importing ? null : (paths?.length ?? (await countUnindexed(db, sourceId)))
  const counts = { done: 0, total }
  onBatch(0, total)
  await indexInOrder(held, update, counts)
  // What was imported over pages that had been passed by.
  if (importing) await indexInOrder(held, { ...update, importing: undefined }, counts)
  await sortIndex(db)
  await finishIndex(held, update, run)
  // How many entries there are, and which words are common, decides how they are searched.
  if (paths === null) await db.query('ANALYZE tidemark.search_chunks')
}

/** New pages have no statistics, and PGlite never makes them by itself: each batch would sort all that are left. */
const analyzePages = (db: Database) => db.query('ANALYZE tidemark.pages (source_id, id)')

/** Writes what the index lacks, once through the pages. */
async function indexInOrder(held: Held, update: IndexUpdate, counts: { done: number; readonly total: number | null }) {
  const { db, signal } = held
  const { budget, importing, onBatch } = update
  let maxPages = FIRST_BATCH_PAGES
  let analyzeAt = FIRST_ANALYZE_PAGES
  const write = async (batch: IndexBatch) => {
    budget.throwIfExpired()
    signal.throwIfAborted()
    const started = performance.now()
    await writeEntries(held, update, batch)
    const elapsedMs = performance.now() - started
    counts.done += batch.pages
    onBatch(counts.done, counts.total)
    maxPages = nextBatchSize(maxPages, MAX_BATCH_PAGES, batch.pages, elapsedMs)
    await importing?.pause(elapsedMs * REST_FACTOR)
    if (counts.done < analyzeAt) return
    analyzeAt = counts.done * 2
    // A search that is made meanwhile goes by how many entries there are.
    await db.query('ANALYZE tidemark.search_chunks (source_id)')
  }
  const batches = readAhead(prepareBatches(held, update, () => maxPages))
  await pMap(batches, write, { concurrency: db.engine === 'postgres' ? WRITERS : 1 })
}

/** The entries of what the index lacks: the next ones are read and prepared while those before are written. */
function prepareBatches({ db }: Held, update: IndexUpdate, maxPages: () => number): AsyncGenerator<IndexBatch> {
  const indexText = createIndexText()
  async function* prepare() {
    // An embedded database is busy with a batch while the next one is prepared, so that is read before.
    for await (const batch of readAhead(readInOrder(db, update, maxPages))) yield prepareEntries(batch, indexText)
  }
  return readAhead(prepare())
}

/** Reads what the index lacks, in the order of pages; behind an import, until that has ended. */
async function* readInOrder(db: Database, update: IndexUpdate, maxPages: () => number) {
  const { importing } = update
  let analyzeAt = 2
  for (let after = '0'; ; ) {
    const batches = importing?.batches() ?? 0
    if (batches >= analyzeAt) {
      analyzeAt = batches * 2
      await analyzePages(db)
    }
    const batch = await readUnindexed(db, update, after, maxPages())
    if (batch !== null) {
      after = batch.last
      yield batch
    } else if (!(await importing?.more(batches))) return
  }
}
