import { forEachYielding } from '../yield-event-loop.ts'
import { type CompressedList, compressedList } from './compressed-list.ts'
import { type Move, orderRenames } from './order-renames.ts'
import type { Delete, Rename, Write } from './plan.ts'

export interface Renames {
  /** In an order in which each path is free when it is used. */
  readonly renames: CompressedList<Rename>
  /** How many chains they make; the others are on cycles. */
  readonly chains: number
  /** Which of the writes they stand for, by position. */
  readonly renamedWrites: Uint8Array
  /** Which of the removed pages they take along, by position. */
  readonly renamedPages: Uint8Array
}

/** Where nothing can have moved. */
export const NO_RENAMES: Renames = {
  renames: compressedList(),
  chains: 0,
  renamedWrites: new Uint8Array(),
  renamedPages: new Uint8Array(),
}

/** So many pages are held in memory at a time. */
const PAGES_PER_PASS = 50_000

type Found = Pick<Renames, 'renames' | 'renamedWrites' | 'renamedPages'>
type Writes = CompressedList<Write>
type Removed = CompressedList<Delete>

/**
 * Finds the pages whose exact content now stands at another path.
 *
 * First the direct moves, from a path that is gone to one that is new: they concern no third path, so any number of
 * them is found in passes over a share of the blobs each. What is left are the few on chains and cycles.
 */
export async function findRenames(writes: Writes, removed: Removed): Promise<Renames> {
  const found: Found = {
    renames: compressedList<Rename>(),
    renamedWrites: new Uint8Array(writes.length),
    renamedPages: new Uint8Array(removed.length),
  }
  const passes = Math.ceil(removed.length / PAGES_PER_PASS)
  for (let pass = 0; pass < passes; pass++) {
    await findDirect(writes, removed, found, (oid) => shortOid(oid) % passes === pass)
  }
  const direct = found.renames.length
  const { renames, chains } = orderRenames(await findChained(writes, removed, found))
  for (const { move, cycle } of renames) {
    const { page, target } = move
    found.renames.push({ id: page.id, from: page.path, path: target.path, blobOid: target.blobOid, cycle })
    found.renamedWrites[target.index] = 1
    if (page.index !== null) found.renamedPages[page.index] = 1
  }
  return { ...found, chains: direct + chains }
}

async function findDirect(
  writes: Writes,
  removed: Removed,
  { renames, renamedWrites, renamedPages }: Found,
  inPass: (blobOid: string) => boolean,
): Promise<void> {
  const deletedByOid = new Map<string, { id: string; path: string; index: number }[]>()
  await forEachYielding(removed, ({ id, path, blobOid }, index) => {
    if (inPass(blobOid)) getOrInsert(deletedByOid, blobOid).push({ id, path, index })
  })
  // Reversed so that pop() keeps path order.
  for (const pages of deletedByOid.values()) pages.reverse()
  await forEachYielding(writes, ({ id, path, blobOid }, index) => {
    const page = id === null && inPass(blobOid) ? deletedByOid.get(blobOid)?.pop() : undefined
    if (!page) return
    renames.push({ id: page.id, from: page.path, path, blobOid, cycle: null })
    renamedPages[page.index] = 1
    renamedWrites[index] = 1
  })
}

/** Pairs of the rest: paths and pages of the same blob where a page that is still there takes part. */
async function findChained(writes: Writes, removed: Removed, { renamedWrites, renamedPages }: Found): Promise<Move[]> {
  const oldOids = new Set<number>()
  await forEachYielding(removed, ({ blobOid }, index) => {
    if (!renamedPages[index]) oldOids.add(shortOid(blobOid))
  })
  await forEachYielding(writes, (write) => {
    if (hasMoved(write)) oldOids.add(shortOid(write.oldBlobOid!))
  })
  if (oldOids.size === 0) return []
  const targets: Move['target'][] = []
  await forEachYielding(writes, ({ id, path, blobOid, oldBlobOid }, index) => {
    if (!renamedWrites[index] && blobOid !== oldBlobOid && oldOids.has(shortOid(blobOid)))
      targets.push({ path, blobOid, isNew: id === null, index })
  })
  if (targets.length === 0) return []
  const targetOids = new Set(targets.map(({ blobOid }) => blobOid))
  return pairByBlob(targets, await pagesByOid(targetOids, writes, removed, renamedPages))
}

/** A page that is only written again, as after a change of the parser, goes nowhere. */
const hasMoved = ({ blobOid, oldBlobOid }: Write) => oldBlobOid !== null && oldBlobOid !== blobOid

async function pagesByOid(
  oids: Set<string>,
  writes: Writes,
  removed: Removed,
  renamedPages: Uint8Array,
): Promise<Map<string, Move['page'][]>> {
  const pages = new Map<string, Move['page'][]>()
  await forEachYielding(removed, ({ id, path, blobOid }, index) => {
    if (!renamedPages[index] && oids.has(blobOid)) getOrInsert(pages, blobOid).push({ id, path, index })
  })
  await forEachYielding(writes, (write) => {
    const { id, path, oldBlobOid } = write
    if (id !== null && hasMoved(write) && oids.has(oldBlobOid!))
      getOrInsert(pages, oldBlobOid!).push({ id, path, index: null })
  })
  return pages
}

/** Pairs pages and paths of the same blob, the surest first: pages whose path is gone, with paths that are new. */
function pairByBlob(targets: Move['target'][], pages: Map<string, Move['page'][]>): Move[] {
  const surestFirst = [...targets.filter(({ isNew }) => isNew), ...targets.filter(({ isNew }) => !isNew)]
  return surestFirst.flatMap((target) => {
    const page = pages.get(target.blobOid)?.shift()
    return page ? [{ page, target }] : []
  })
}

function getOrInsert<T>(map: Map<string, T[]>, key: string): T[] {
  const present = map.get(key)
  if (present) return present
  const inserted: T[] = []
  map.set(key, inserted)
  return inserted
}

/** 48 bits of an object id: enough to tell most that can't match, and a number is a tenth of the string's size. */
function shortOid(oid: string): number {
  return Number.parseInt(oid.slice(0, 12), 16)
}
