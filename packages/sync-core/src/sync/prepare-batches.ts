import { readObjects } from '../git/objects.ts'
import type { Origin } from '../git/origin.ts'
import { openParser, type Parsed } from '../parse/parser.ts'
import { QuarantineError } from '../parse/quarantine-error.ts'
import { MAX_PAGE_BYTES } from '../plan/eligible.ts'
import type { Plan, Rename, Write } from '../plan/plan.ts'
import type { Budget } from '../run/budget.ts'
import type { Held } from '../run/lease.ts'
import type { RunProgress } from '../run/progress.ts'
import type { Follower } from '../search/follow-import.ts'
import { createYielder } from '../yield-event-loop.ts'
import { type Batch, createBatch } from './batch.ts'
import { createParseQueue, type File } from './parse-queue.ts'
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
  /** What is told of each batch that is in. */
  readonly follower: Pick<Follower, 'countBatch'> | null
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
  const queue = createParseQueue(parser)
  let cycle: number | null = null
  const take = () => {
    const taken = batch
    batch = createBatch()
    return taken
  }
  /** The batch, where it is full before a file; a cycle of renames is not cut: half of it would leave two pages with one path. */
  const takeFull = ({ item }: File): Batch | null => {
    const next = 'cycle' in item ? item.cycle : null
    const mayCut = next === null || next !== cycle
    cycle = next
    return mayCut && (batch.size >= maxPages() || batch.bytes >= MAX_BATCH_BYTES) ? take() : null
  }
  const add = ({ item, blob }: File, page: Parsed) => {
    progress.countRead()
    if (page instanceof QuarantineError) {
      const { path, blobOid, id } = item
      batch.quarantine({ path, blobOid, code: page.code, message: page.message }, id)
    } else batch.add(item, blob.sizeBytes, page)
    return yieldEventLoop()
  }
  const items = prefetchBlobs(filesToRead(plan), fetchBlobs, signal)
  const reading = { type: 'blob', oidOf: ({ blobOid }: Item) => blobOid, maxBytes: MAX_PAGE_BYTES, signal } as const
  for await (const { item, object } of readObjects(folder, items, reading)) {
    queue.push(item, object)
    for (let next = queue.shift(); next; next = queue.shift()) {
      const full = takeFull(next)
      if (full) yield full
      await add(next, await next.page)
    }
  }
  for (const next of queue.rest()) {
    const full = takeFull(next)
    if (full) yield full
    await add(next, await next.page)
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
