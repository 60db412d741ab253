/** The middle one, or `none` where there is nothing. */
export function median(values: readonly number[], none = 0): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? none
}
