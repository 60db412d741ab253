import { forEachYielding } from '../yield-event-loop.ts'
import { type CompressedList, compressedList } from './compressed-list.ts'
import { type Move, orderMoves } from './order-moves.ts'
import type { Delete, Rename, Write } from './plan.ts'

type Writes = CompressedList<Write>
type Deletes = CompressedList<Delete>

export interface Renames {
  /** In an order in which each path is free when it is used. */
  readonly renames: CompressedList<Rename>
  /** How many chains they make; the others are on cycles. */
  readonly chains: number
  /** The writes and deletes that are left beside them. */
  readonly writes: Writes
  readonly deletes: Deletes
}

/** So many pages that are gone are held in memory at a time. */
const PAGES_PER_PASS = 50_000

/**
 * Finds the pages whose exact content now stands at another path, in passes over a share of the blobs each.
 *
 * Most moves lead from a path that is gone to one that is new: they concern no third path, so each is a rename at once.
 * What is kept are the few others, which are on chains and cycles.
 */
export async function findRenames(writes: Writes, removed: Deletes): Promise<Renames> {
  const renames = compressedList<Rename>()
  const renamedWrites = new Uint8Array(writes.length)
  const renamedPages = new Uint8Array(removed.length)
  const rename = ({ page, target }: Move, cycle: number | null) => {
    renames.push({ id: page.id, from: page.path, path: target.path, blobOid: target.blobOid, cycle })
    renamedWrites[target.index] = 1
    if (page.index !== null) renamedPages[page.index] = 1
  }
  const others: Move[] = []
  const overwritten = await findOverwritten(writes)
  const passes = Math.max(1, Math.ceil(removed.length / PAGES_PER_PASS))
  for (let pass = 0; pass < passes; pass++) {
    const pages = new Map<string, Move['page'][]>()
    const addPage = (blobOid: string, page: Move['page']) => {
      if (shortOid(blobOid) % passes !== pass) return
      const present = pages.get(blobOid)
      if (present) present.push(page)
      else pages.set(blobOid, [page])
    }
    await forEachYielding(removed, ({ id, path, blobOid }, index) => addPage(blobOid, { id, path, index }))
    for (const { id, path, blobOid } of overwritten) addPage(blobOid, { id, path, index: null })
    if (pages.size === 0) continue
    await pairByBlob(writes, pages, (move) => {
      if (move.target.isNew && move.page.index !== null) rename(move, null)
      else others.push(move)
    })
  }
  const direct = renames.length
  const { ordered, chains } = orderMoves(others)
  for (const { move, cycle } of ordered) rename(move, cycle)
  if (renames.length === 0) return { renames, chains, writes, deletes: removed }
  const [left, deletes] = [await omitMarked(writes, renamedWrites), await omitMarked(removed, renamedPages)]
  return { renames, chains: direct + chains, writes: left, deletes }
}

/** A page that is only written again, as after a change of the parser, goes nowhere. */
const isChange = ({ blobOid, oldBlobOid }: Write) => blobOid !== oldBlobOid

/** The pages over which another blob is written, while their own is written elsewhere. */
async function findOverwritten(writes: Writes): Promise<Delete[]> {
  const oldOids = new Set<number>()
  await forEachYielding(writes, (write) => {
    if (write.oldBlobOid !== null && isChange(write)) oldOids.add(shortOid(write.oldBlobOid))
  })
  if (oldOids.size === 0) return []
  const movedOids = new Set<number>()
  await forEachYielding(writes, (write) => {
    if (isChange(write) && oldOids.has(shortOid(write.blobOid))) movedOids.add(shortOid(write.blobOid))
  })
  const overwritten: Delete[] = []
  if (movedOids.size === 0) return overwritten
  await forEachYielding(writes, (write) => {
    const { id, path, oldBlobOid } = write
    if (id !== null && oldBlobOid !== null && isChange(write) && movedOids.has(shortOid(oldBlobOid)))
      overwritten.push({ id, path, blobOid: oldBlobOid })
  })
  return overwritten
}

/** Pairs pages and paths of the same blob, the surest first: pages whose path is gone, with paths that are new. */
async function pairByBlob(
  writes: Writes,
  pages: Map<string, Move['page'][]>,
  onMove: (move: Move) => void,
): Promise<void> {
  // Reversed so that pop() keeps their order.
  for (const list of pages.values()) list.reverse()
  const pair = (target: Move['target']) => {
    const page = pages.get(target.blobOid)!.pop()
    if (page) onMove({ page, target })
  }
  const overPages: Move['target'][] = []
  await forEachYielding(writes, (write, index) => {
    const { id, path, blobOid } = write
    if (!isChange(write) || !pages.has(blobOid)) return
    if (id === null) pair({ path, blobOid, isNew: true, index })
    else overPages.push({ path, blobOid, isNew: false, index })
  })
  overPages.forEach(pair)
}

/** The records of a list whose position is not marked. */
async function omitMarked<T>(list: CompressedList<T>, marks: Uint8Array): Promise<CompressedList<T>> {
  const rest = compressedList<T>()
  await forEachYielding(list, (record, index) => {
    if (!marks[index]) rest.push(record)
  })
  return rest
}

/** 48 bits of an object id: enough to tell most that can't match, and a number is a tenth of the string's size. */
function shortOid(oid: string): number {
  return Number.parseInt(oid.slice(0, 12), 16)
}
