/**
 * How many more runs that settle as much as this one it takes.
 *
 * @param left what is left after it; null where it stopped before it knew.
 * @param done what it has settled, in the same unit.
 * @returns null where that can't be told.
 */
export function runsLeft(left: number | null, done: number): number | null {
  return left === null || done === 0 ? null : Math.ceil(left / done)
}

/** The same as a sentence. @param what is counted, in the plural */
export function tellLeft(left: number | null, done: number, what: string): string {
  if (left === null) return 'It stopped before it knew how much there is.'
  const runs = runsLeft(left, done)
  const more = runs === null ? '' : `, about ${runs} more ${runs === 1 ? 'run' : 'runs'} like this one`
  return `${left} ${what} are left${more}.`
}
