import { readBlobs } from '../git/blobs.ts'
import type { Origin } from '../git/origin.ts'
import { openParser } from '../parse/parser.ts'
import { QuarantineError } from '../parse/quarantine-error.ts'
import { MAX_PAGE_BYTES, tooLarge } from '../plan/eligible.ts'
import type { Plan, Rename, Write } from '../plan/plan.ts'
import type { Budget } from '../run/budget.ts'
import type { Held } from '../run/lease.ts'
import type { RunProgress } from '../run/progress.ts'
import { createYielder } from '../yield-event-loop.ts'
import { type Batch, createBatch } from './batch.ts'
import { prefetchBlobs } from './prefetch-blobs.ts'

/** What a statement may carry: some hundredths of a second of work for any Postgres, and little memory for us. */
const MAX_BATCH_BYTES = 1024 * 1024
const DELETES_PER_BATCH = 2_000

/** What a plan is carried out with. */
export interface Applying {
  readonly plan: Plan
  readonly sourceId: string
  /** Of the repository. */
  readonly folder: string
  readonly fetchBlobs: Origin['fetchBlobs']
  /** Files that earlier runs towards the same commit have quarantined. */
  readonly failedBefore: number
  readonly held: Held
  readonly budget: Budget
  readonly progress: RunProgress
}

/**
 * Reads and parses what a plan names, in its order, and groups it into batches that can be written one by one, each of
 * as many pages as it may have then.
 */
export async function* prepareBatches(
  { plan, folder, fetchBlobs, held: { signal }, progress }: Applying,
  maxPages: () => number,
): AsyncGenerator<Batch> {
  let batch = createBatch(plan.quarantineCleared)
  for (const rejected of plan.rejected) batch.quarantine(rejected, null)

  const yieldEventLoop = createYielder()
  await using parser = openParser(signal)
  let cycle: number | null = null
  const take = () => {
    const taken = batch
    batch = createBatch()
    return taken
  }
  const full = () => batch.size >= maxPages() || batch.bytes >= MAX_BATCH_BYTES
  const items = prefetchBlobs(filesToRead(plan), fetchBlobs, signal)
  for await (const { item, blob } of readBlobs(folder, items, { maxBytes: MAX_PAGE_BYTES, signal })) {
    progress.countRead()
    // A cycle of renames is not cut: half of it would leave two pages with one path.
    const next = 'cycle' in item ? item.cycle : null
    if (next !== cycle && full()) yield take()
    cycle = next
    try {
      if (blob.content === null) throw tooLarge(blob.sizeBytes)
      batch.add(item, blob.sizeBytes, await parser.parse(item.path, blob.content))
    } catch (error) {
      if (!(error instanceof QuarantineError)) throw error
      const { path, blobOid, id } = item
      batch.quarantine({ path, blobOid, code: error.code, message: error.message }, id)
    }
    if (cycle === null && full()) yield take()
    await yieldEventLoop()
  }
  for (const { id } of plan.deletes) {
    if (batch.deletedIds.length >= DELETES_PER_BATCH) yield take()
    batch.delete(id)
  }
  if (!batch.isEmpty) yield batch
}

type Item = Rename | Write

function* filesToRead({ renames, writes }: Plan): Generator<Item> {
  yield* renames
  yield* writes
}
