import { breathing } from '../breathe.ts'
import { followMoves, type Move } from './follow-moves.ts'
import { type PackedList, packedList } from './packed-list.ts'
import type { Delete, Write } from './plan.ts'

/** A page that keeps its id and content under another path. */
export interface Rename {
  readonly id: string
  readonly from: string
  readonly path: string
  readonly blobOid: string
  /** Members of one cycle (a→b while b→a) have the same number: only together they leave every path to one page. */
  readonly cycle: number | null
}

export interface Renames {
  /** In an order in which each path is free when it is taken. */
  readonly renames: PackedList<Rename>
  /** How many chains they make; the others are on cycles. */
  readonly chains: number
  /** Which of the writes they stand for, by position. */
  readonly arrived: Uint8Array
  /** Which of the vanished pages they take along, by position. */
  readonly moved: Uint8Array
}

/** Where nothing can have moved. */
export const NO_RENAMES: Renames = {
  renames: packedList(),
  chains: 0,
  arrived: new Uint8Array(),
  moved: new Uint8Array(),
}

/** So many pages are held in memory at a time. */
const PAGES_PER_PASS = 50_000

/**
 * Finds the pages whose exact content now stands at another path.
 *
 * First the plain moves, from a path that is gone to one that is new: they concern no third path, so any number of
 * them is found in passes over a share of the blobs each. What is left are the few on chains and cycles.
 */
export async function findRenames(writes: PackedList<Write>, vanished: PackedList<Delete>): Promise<Renames> {
  const found: Found = {
    renames: packedList<Rename>(),
    arrived: new Uint8Array(writes.length),
    moved: new Uint8Array(vanished.length),
  }
  const passes = Math.ceil(vanished.length / PAGES_PER_PASS)
  for (let pass = 0; pass < passes; pass++) {
    await findPlainMoves(writes, vanished, found, (oid) => shortOid(oid) % passes === pass)
  }
  const plain = found.renames.length
  const moves = await findOtherMoves(writes, vanished, found)
  const { renames, chains } = followMoves(moves)
  for (const { move, cycle } of renames) {
    const { page, target } = move
    found.renames.push({ id: page.id, from: page.path, path: target.path, blobOid: target.blobOid, cycle })
    found.arrived[target.at] = 1
    if (page.at !== null) found.moved[page.at] = 1
  }
  return { ...found, chains: plain + chains }
}

type Found = Pick<Renames, 'renames' | 'arrived' | 'moved'>

async function findPlainMoves(
  writes: PackedList<Write>,
  vanished: PackedList<Delete>,
  { renames, arrived, moved }: Found,
  inPass: (blobOid: string) => boolean,
): Promise<void> {
  const breathe = breathing()
  const gone = new Map<string, { id: string; path: string; at: number }[]>()
  let at = 0
  for (const { id, path, blobOid } of vanished) {
    if (inPass(blobOid)) getOrInsert(gone, blobOid).push({ id, path, at })
    at++
    await breathe()
  }
  // Taken from the end, the first comes first.
  for (const pages of gone.values()) pages.reverse()
  at = 0
  for (const { id, path, blobOid } of writes) {
    const page = id === null && inPass(blobOid) ? gone.get(blobOid)?.pop() : undefined
    if (page) {
      renames.push({ id: page.id, from: page.path, path, blobOid, cycle: null })
      moved[page.at] = 1
      arrived[at] = 1
    }
    at++
    await breathe()
  }
}

/** Pairs of the rest: paths and pages of the same blob where a page that is still there takes part. */
async function findOtherMoves(
  writes: PackedList<Write>,
  vanished: PackedList<Delete>,
  { arrived, moved }: Found,
): Promise<Move[]> {
  const breathe = breathing()
  const had = new Set<number>()
  let at = 0
  for (const { blobOid } of vanished) {
    if (!moved[at++]) had.add(shortOid(blobOid))
    await breathe()
  }
  for (const { blobOid, oldBlobOid } of writes) {
    // A page that is only written again, as after a change of the parser, goes nowhere.
    if (oldBlobOid !== null && oldBlobOid !== blobOid) had.add(shortOid(oldBlobOid))
    await breathe()
  }
  if (had.size === 0) return []
  const targets: Move['target'][] = []
  at = 0
  for (const { id, path, blobOid, oldBlobOid } of writes) {
    if (!arrived[at] && blobOid !== oldBlobOid && had.has(shortOid(blobOid)))
      targets.push({ path, blobOid, isNew: id === null, at })
    at++
    await breathe()
  }
  if (targets.length === 0) return []
  return matchUp(targets, await pagesOf(new Set(targets.map(({ blobOid }) => blobOid)), writes, vanished, moved))
}

async function pagesOf(
  wanted: Set<string>,
  writes: PackedList<Write>,
  vanished: PackedList<Delete>,
  moved: Uint8Array,
): Promise<Map<string, Move['page'][]>> {
  const breathe = breathing()
  const pages = new Map<string, Move['page'][]>()
  let at = 0
  for (const { id, path, blobOid } of vanished) {
    if (!moved[at] && wanted.has(blobOid)) getOrInsert(pages, blobOid).push({ id, path, at })
    at++
    await breathe()
  }
  for (const { id, path, blobOid, oldBlobOid } of writes) {
    if (id !== null && oldBlobOid !== null && oldBlobOid !== blobOid && wanted.has(oldBlobOid))
      getOrInsert(pages, oldBlobOid).push({ id, path, at: null })
    await breathe()
  }
  return pages
}

/** Pairs pages and paths of the same blob, the surest first: pages whose path is gone, with paths that are new. */
function matchUp(targets: Move['target'][], pages: Map<string, Move['page'][]>): Move[] {
  const surestFirst = [...targets.filter(({ isNew }) => isNew), ...targets.filter(({ isNew }) => !isNew)]
  return surestFirst.flatMap((target) => {
    const page = pages.get(target.blobOid)?.shift()
    return page ? [{ page, target }] : []
  })
}

function getOrInsert<T>(map: Map<string, T[]>, key: string): T[] {
  const there = map.get(key)
  if (there) return there
  const inserted: T[] = []
  map.set(key, inserted)
  return inserted
}

/** 48 bits of an object id: enough to tell most that can't match, and a number is a tenth of the string's size. */
function shortOid(oid: string): number {
  return Number.parseInt(oid.slice(0, 12), 16)
}
