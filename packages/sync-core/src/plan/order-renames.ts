/** A page, and a path at which its exact content now stands. */
export interface Move {
  /** `index` is its position among the removed pages; null where its path is still in the tree. */
  readonly page: { readonly id: string; readonly path: string; readonly index: number | null }
  /** `index` is its position among the writes. */
  readonly target: { readonly path: string; readonly blobOid: string; readonly isNew: boolean; readonly index: number }
}

/** A move that counts as a rename, and the number of the cycle that it is on, if it is. */
export interface OrderedRename {
  readonly move: Move
  readonly cycle: number | null
}

/**
 * Follows moves from path to path, and puts those that are renames into an order in which each path is free when it
 * is used.
 *
 * A move is an edge from a page to a path, and a page has one path, so moves make chains and cycles. A chain counts
 * when its first page's path is gone from the tree and its last path is new: then everyone on it has moved on by
 * one. In any other chain some file was copied and then changed, or one was put over another; there each path keeps
 * its page, as git has it.
 */
export function orderRenames(moves: readonly Move[]): { renames: OrderedRename[]; chains: number } {
  const byPage = new Map(moves.map((move) => [move.page.path, move]))
  const byTarget = new Map(moves.map((move) => [move.target.path, move]))
  const seen = new Set<Move>()
  const renames: OrderedRename[] = []
  let chains = 0

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
    if (move.page.index === null || !chain.at(-1)!.target.isNew) continue
    // From its end, so that each path is free before it is used.
    for (const link of chain.reverse()) renames.push({ move: link, cycle: null })
    chains++
  }
  // What is on no chain by now is on a cycle.
  let cycle = 0
  for (const move of moves) {
    if (seen.has(move)) continue
    for (const link of follow(move)) renames.push({ move: link, cycle })
    cycle++
  }
  return { renames, chains }
}
