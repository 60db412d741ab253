import { breathing } from '../breathe.ts'
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
  readonly renames: readonly Rename[]
  /** How many chains they make; the others are on cycles. */
  readonly chains: number
}

interface Page {
  readonly id: string
  readonly path: string
  readonly gone: boolean
}

/**
 * Finds the pages whose exact content now stands at another path.
 *
 * A move is an edge from a page to a path, and a page has one path, so moves make chains and cycles. A chain counts
 * when its first page's path is gone from the tree and its last path is new: then everyone on it has moved on by
 * one. In any other chain some file was copied and then changed, or one was put over another; there each path keeps
 * its page, as git tells it.
 */
export async function findRenames(writes: Iterable<Write>, vanished: Iterable<Delete>): Promise<Renames> {
  const { targets, pages } = await exactMatches(writes, vanished)
  const moves = matchUp(targets, pages)
  return inSafeOrder(moves)
}

/** The few records that can take part: those whose blob is both wanted somewhere and had by some page. */
async function exactMatches(writes: Iterable<Write>, vanished: Iterable<Delete>) {
  const breathe = breathing()
  const had = new Set<number>()
  for (const { blobOid } of vanished) {
    had.add(shortOid(blobOid))
    await breathe()
  }
  for (const { blobOid, oldBlobOid } of writes) {
    // A page that is only written again, as after a change of the parser, goes nowhere.
    if (oldBlobOid !== null && oldBlobOid !== blobOid) had.add(shortOid(oldBlobOid))
    await breathe()
  }
  const targets: Write[] = []
  if (had.size > 0) {
    for (const write of writes) {
      if (write.blobOid !== write.oldBlobOid && had.has(shortOid(write.blobOid))) targets.push(write)
      await breathe()
    }
  }
  const wanted = new Set(targets.map(({ blobOid }) => blobOid))
  const pages = new Map<string, Page[]>()
  const offer = (blobOid: string, page: Page) => {
    if (!wanted.has(blobOid)) return
    const same = pages.get(blobOid)
    if (same) same.push(page)
    else pages.set(blobOid, [page])
  }
  if (wanted.size > 0) {
    for (const { id, path, blobOid } of vanished) {
      offer(blobOid, { id, path, gone: true })
      await breathe()
    }
    for (const { id, path, blobOid, oldBlobOid } of writes) {
      if (id !== null && oldBlobOid !== null && oldBlobOid !== blobOid)
        offer(oldBlobOid, { id, path, gone: false })
      await breathe()
    }
  }
  return { targets, pages }
}

interface Move {
  readonly page: Page
  readonly target: Write
}

/** Pairs pages and paths of the same blob, the surest first: pages whose path is gone, with paths that are new. */
function matchUp(targets: Write[], pages: Map<string, Page[]>): Move[] {
  const surestFirst = [...targets.filter(({ id }) => id === null), ...targets.filter(({ id }) => id !== null)]
  return surestFirst.flatMap((target) => {
    const page = pages.get(target.blobOid)?.shift()
    return page ? [{ page, target }] : []
  })
}

function inSafeOrder(moves: Move[]): Renames {
  const byPage = new Map(moves.map((move) => [move.page.path, move]))
  const byTarget = new Map(moves.map((move) => [move.target.path, move]))
  const seen = new Set<Move>()
  const renames: Rename[] = []
  let chains = 0
  const emit = ({ page, target }: Move, cycle: number | null) =>
    renames.push({ id: page.id, from: page.path, path: target.path, blobOid: target.blobOid, cycle })

  const follow = (first: Move): Move[] => {
    const chain: Move[] = []
    for (let move: Move | undefined = first; move && !seen.has(move); move = byPage.get(move.target.path)) {
      seen.add(move)
      chain.push(move)
    }
    return chain
  }
  for (const move of moves) {
    if (byTarget.has(move.page.path)) continue
    const chain = follow(move)
    // From its end, so that each path has been left before it is taken.
    if (!move.page.gone || chain.at(-1)!.target.id !== null) continue
    for (const link of chain.reverse()) emit(link, null)
    chains++
  }
  // Whoever is not on a chain by now is on a cycle.
  let cycle = 0
  for (const move of moves) {
    if (seen.has(move)) continue
    for (const link of follow(move)) emit(link, cycle)
    cycle++
  }
  return { renames, chains }
}

/** 48 bits of an object id: enough to tell most that can't match, and a number is a tenth of the string's size. */
function shortOid(oid: string): number {
  return Number.parseInt(oid.slice(0, 12), 16)
}
