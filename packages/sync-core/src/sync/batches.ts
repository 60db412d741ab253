import { breathing } from '../breathe.ts'
import { type Blob, readBlobs } from '../git/blobs.ts'
import type { Origin } from '../git/origin.ts'
import type { Repository } from '../git/repository.ts'
import { openParser } from '../parse/open-parser.ts'
import type { Page } from '../parse/parse-page.ts'
import { Unstorable } from '../parse/unstorable.ts'
import type { Plan, Write } from '../plan/plan.ts'
import type { Rename } from '../plan/renames.ts'
import type { Batch, PageWrite, QuarantineWrite } from '../store/apply-batch.ts'
import { brought } from './brought.ts'

/** Larger files are set aside: no one writes such a page by hand, and a page is one row and one statement. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** What a statement may carry: some hundredths of a second of work for any Postgres, and little memory for us. */
const MAX_BATCH_BYTES = 512 * 1024
const DELETES_PER_BATCH = 2_000

/** A batch and what it counts for. */
export interface PreparedBatch extends Batch {
  readonly counts: {
    imported: number
    updated: number
    renamed: number
    deleted: number
    quarantined: number
  }
  /** How many entries of the plan it settles. */
  readonly entries: number
}

export interface BatchSource {
  readonly repository: Repository
  readonly bring: Origin['bring']
  readonly plan: Plan
  /** How many pages the next batch may have. */
  readonly pagesPerBatch: () => number
  /** Told of each blob that was read. */
  readonly onRead: () => void
  readonly signal: AbortSignal
}

/** Reads and parses what a plan names, in its order, and groups it into batches that can be written one by one. */
export async function* prepareBatches(source: BatchSource): AsyncGenerator<PreparedBatch> {
  const { repository, bring, plan, pagesPerBatch, onRead, signal } = source
  let batch = openBatch()
  for (const path of plan.released) batch.release(path)
  for (const refused of plan.refused) batch.quarantine(refused, null)

  const breathe = breathing()
  await using parser = openParser(signal)
  let cycle: number | null = null
  const full = () => batch.pages.length + batch.quarantined.length >= pagesPerBatch() || batch.bytes >= MAX_BATCH_BYTES
  const reading = {
    repository,
    wanted: brought(inOrder(plan), bring, signal),
    oidOf: (item: Item) => item.blobOid,
    maxBytes: MAX_PAGE_BYTES,
    signal,
  }
  for await (const { item, blob } of readBlobs(reading)) {
    onRead()
    // A cycle of renames is not cut: half of it would leave two pages with one path.
    const next = 'cycle' in item ? item.cycle : null
    if (next !== cycle && full()) {
      yield batch
      batch = openBatch()
    }
    cycle = next
    try {
      if (blob.content === null) throw tooLarge(blob.sizeBytes)
      batch.add(item, blob, await parser.parse(item.path, blob.content))
    } catch (error) {
      if (!(error instanceof Unstorable)) throw error
      const { path, blobOid, id } = item
      batch.quarantine({ path, blobOid, code: error.code, message: error.message }, id)
    }
    if (cycle === null && full()) {
      yield batch
      batch = openBatch()
    }
    await breathe()
  }
  for (const { id } of plan.deletes) {
    if (batch.deletedIds.length >= DELETES_PER_BATCH) {
      yield batch
      batch = openBatch()
    }
    batch.remove(id)
  }
  if (batch.entries + batch.releasedPaths.length > 0) yield batch
}

type Item = Rename | Write

function* inOrder(plan: Plan): Generator<Item> {
  yield* plan.renames
  yield* plan.writes
}

function openBatch() {
  const pages: PageWrite[] = []
  const quarantined: QuarantineWrite[] = []
  const deletedIds: string[] = []
  const releasedPaths: string[] = []
  const counts = { imported: 0, updated: 0, renamed: 0, deleted: 0, quarantined: 0 }
  return {
    pages,
    quarantined,
    deletedIds,
    releasedPaths,
    counts,
    bytes: 0,
    entries: 0,

    add(item: Item, { sizeBytes }: Blob, page: Page) {
      const { id, path, blobOid } = item
      pages.push({ id, path, blobOid, sizeBytes, page })
      this.bytes += sizeBytes
      this.entries++
      if ('from' in item) counts.renamed++
      else if (item.id === null) counts.imported++
      else counts.updated++
    },
    /** Sets a file aside; a page that held an older state of it is of no commit any more and goes. */
    quarantine({ path, blobOid, code, message }: QuarantineWrite, pageId: string | null) {
      quarantined.push({ path, blobOid, code, message })
      if (pageId !== null) deletedIds.push(pageId)
      counts.quarantined++
      this.entries++
    },
    remove(id: string) {
      deletedIds.push(id)
      counts.deleted++
      this.entries++
    },
    release(path: string) {
      releasedPaths.push(path)
    },
  }
}

function tooLarge(sizeBytes: number): Unstorable {
  const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`
  return new Unstorable(
    'too_large',
    `the file has ${megabytes(sizeBytes)}, at most ${megabytes(MAX_PAGE_BYTES)} can be a page`,
  )
}
