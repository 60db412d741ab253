/** A page, and a path at which its exact content now stands. */
export interface Move {
  /** `index` is its position among the removed pages; null where its path is still in the tree. */
  readonly page: { readonly id: string; readonly path: string; readonly index: number | null }
  /** `index` is its position among the writes. */
  readonly target: { readonly path: string; readonly blobOid: string; readonly isNew: boolean; readonly index: number }
}

/**
 * Follows moves from path to path, and puts those that are renames into an order in which each path is free when it
 * is used, each with the number of the cycle that it is on, if it is.
 *
 * A move is an edge from a page to a path, and a page has one path, so moves make chains and cycles. A chain counts
 * when its first page's path is gone from the tree and its last path is new: then everyone on it has moved on by
 * one. In any other chain some file was copied and then changed, or one was put over another; there each path keeps
 * its page, as git has it.
 */
export function orderMoves(moves: readonly Move[]) {
  const byPage = new Map(moves.map((move) => [move.page.path, move]))
  const targets = new Set(moves.map((move) => move.target.path))
  const seen = new Set<Move>()
  const ordered: { readonly move: Move; readonly cycle: number | null }[] = []
  let [chains, cycles] = [0, 0]
  const follow = (first: Move): Move[] => {
    const chain: Move[] = []
    for (let move: Move | undefined = first; move && !seen.has(move); move = byPage.get(move.target.path)) {
      seen.add(move)
      chain.push(move)
    }
    return chain
  }
  for (const first of moves.filter(({ page }) => !targets.has(page.path))) {
    const chain = follow(first)
    if (first.page.index === null || !chain.at(-1)!.target.isNew) continue
    // From its end, so that each path is free before it is used.
    for (const move of chain.reverse()) ordered.push({ move, cycle: null })
    chains++
  }
  // What is on no chain by now is on a cycle.
  for (const first of moves) {
    if (seen.has(first)) continue
    for (const move of follow(first)) ordered.push({ move, cycle: cycles })
    cycles++
  }
  return { ordered, chains }
}
