/** Thrown when so many files of a run cannot be stored that the fault is not theirs. */
export class TooManyFailures extends Error {
  override readonly name = 'TooManyFailures'
}

const MOST_FAILURES = 20
const MOST_SHARE = 0.2

/** Whether more than 20 files and more than a fifth of them all have failed. */
export function tooManyFailures(failed: number, total: number): boolean {
  return failed > MOST_FAILURES && failed > total * MOST_SHARE
}
