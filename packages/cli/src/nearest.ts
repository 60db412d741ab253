import { closest, distance } from 'fastest-levenshtein'

/** `Did you mean "docs"? ` where a known name is near enough to be what was meant, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const near = closest(name, known)
  return distance(name, near) <= Math.max(2, name.length / 3) ? `Did you mean "${near}"? ` : ''
}
