import { type Blob, readBlobs } from '../git/blobs.ts'
import type { Origin } from '../git/origin.ts'
import type { Repository } from '../git/refs.ts'
import type { Page } from '../parse/page.ts'
import { openParser } from '../parse/parser.ts'
import { QuarantineError } from '../parse/quarantine-error.ts'
import { MAX_PAGE_BYTES, tooLarge } from '../plan/eligible.ts'
import type { Plan, Rename, Write } from '../plan/plan.ts'
import { noCounts } from '../run/outcome.ts'
import type { PageWrite, QuarantineWrite } from '../store/apply-batch.ts'
import { createYielder } from '../yield-event-loop.ts'
import { prefetchBlobs } from './prefetch-blobs.ts'

/** What a statement may carry: some hundredths of a second of work for any Postgres, and little memory for us. */
const MAX_BATCH_BYTES = 512 * 1024
const DELETES_PER_BATCH = 2_000

/** What a statement writes, and what it counts for. */
export type PreparedBatch = ReturnType<typeof createBatch>

export interface BatchOptions {
  readonly repository: Repository
  readonly fetchBlobs: Origin['fetchBlobs']
  /** How many pages the next batch may have. */
  readonly maxPages: () => number
  /** Called for each blob that was read. */
  readonly onRead: () => void
  readonly signal: AbortSignal
}

/** Reads and parses what a plan names, in its order, and groups it into batches that can be written one by one. */
export async function* prepareBatches(plan: Plan, options: BatchOptions): AsyncGenerator<PreparedBatch> {
  const { repository, fetchBlobs, maxPages, onRead, signal } = options
  let batch = createBatch(plan.quarantineCleared)
  for (const rejected of plan.rejected) batch.quarantine(rejected, null)

  const yieldEventLoop = createYielder()
  await using parser = openParser(signal)
  let cycle: number | null = null
  const full = () => batch.pages.length + batch.quarantined.length >= maxPages() || batch.bytes >= MAX_BATCH_BYTES
  const items = prefetchBlobs(filesToRead(plan), fetchBlobs, signal)
  for await (const { item, blob } of readBlobs(repository, items, { maxBytes: MAX_PAGE_BYTES, signal })) {
    onRead()
    // A cycle of renames is not cut: half of it would leave two pages with one path.
    const next = 'cycle' in item ? item.cycle : null
    if (next !== cycle && full()) {
      yield batch
      batch = createBatch()
    }
    cycle = next
    try {
      if (blob.content === null) throw tooLarge(blob.sizeBytes)
      batch.add(item, blob, await parser.parse(item.path, blob.content))
    } catch (error) {
      if (!(error instanceof QuarantineError)) throw error
      const { path, blobOid, id } = item
      batch.quarantine({ path, blobOid, code: error.code, message: error.message }, id)
    }
    if (cycle === null && full()) {
      yield batch
      batch = createBatch()
    }
    await yieldEventLoop()
  }
  for (const { id } of plan.deletes) {
    if (batch.deletedIds.length >= DELETES_PER_BATCH) {
      yield batch
      batch = createBatch()
    }
    batch.delete(id)
  }
  if (batch.entries + batch.quarantineCleared.length > 0) yield batch
}

type Item = Rename | Write

function* filesToRead(plan: Plan): Generator<Item> {
  yield* plan.renames
  yield* plan.writes
}

function createBatch(quarantineCleared: readonly string[] = []) {
  const pages: PageWrite[] = []
  const quarantined: QuarantineWrite[] = []
  const deletedIds: string[] = []
  const counts = noCounts()
  return {
    ...{ pages, quarantined, deletedIds, quarantineCleared, counts },
    bytes: 0,
    entries: 0,

    add(item: Item, { sizeBytes }: Blob, page: Page) {
      const { id, path, blobOid } = item
      pages.push({ id, path, blobOid, sizeBytes, page })
      this.bytes += sizeBytes
      this.entries++
      if ('from' in item) counts.filesRenamed++
      else if (item.id === null) counts.filesImported++
      else counts.filesUpdated++
    },
    /** Sets a file aside; a page that held an older state of it is of no commit any more and goes. */
    quarantine({ path, blobOid, code, message }: QuarantineWrite, pageId: string | null) {
      quarantined.push({ path, blobOid, code, message })
      if (pageId !== null) deletedIds.push(pageId)
      counts.filesQuarantined++
      this.entries++
    },
    delete(id: string) {
      deletedIds.push(id)
      counts.filesDeleted++
      this.entries++
    },
  }
}
