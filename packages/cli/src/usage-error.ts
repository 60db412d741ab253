import { closest, distance } from 'fastest-levenshtein'

/** What the user typed or configured cannot be followed; shown as one line and a hint. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** For programs. */
  readonly code: string = 'BAD_USAGE'
  readonly hint: string
  readonly exitCode: number = 2

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.hint = hint
  }
}

/** Another process is at work on what is to be changed: exit code 4. */
export class BusyError extends UsageError {
  override readonly exitCode = 4
}

/** `Did you mean "docs"? ` where a known name is near enough to be what was meant, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const near = closest(name, known)
  return distance(name, near) <= Math.max(2, name.length / 3) ? `Did you mean "${near}"? ` : ''
}
