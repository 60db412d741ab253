type Combination = Record<string, unknown>

/** What GitHub allows. */
const MAX_JOBS = 256

/** The combinations of a matrix, without those it excludes and with those it includes. @throws for none or too many */
export function expandMatrix(matrix: Readonly<Record<string, unknown>>): Combination[] {
  const { include, exclude, ...axes } = matrix as Record<string, unknown[]>
  const lists = Object.entries(axes)
  for (const [name, values] of lists) {
    if (!Array.isArray(values) || values.length === 0)
      throw new Error(`Matrix vector '${name}' does not contain any values`)
  }
  const crossed = lists.reduce<Combination[]>(
    (before, [name, values]) => before.flatMap((each) => values.map((value) => ({ ...each, [name]: value }))),
    lists.length > 0 ? [{}] : [],
  )
  const excluded = (exclude ?? []) as Combination[]
  const kept = crossed.filter((each) => !excluded.some((out) => matches(each, out)))
  const combinations = addIncluded(kept, Object.keys(axes), (include ?? []) as Combination[])
  if (combinations.length === 0) throw new Error('The matrix has no combination')
  if (combinations.length > MAX_JOBS)
    throw new Error(`The matrix has ${combinations.length} jobs; GitHub allows ${MAX_JOBS}`)
  return combinations
}

/** An included one adds to each combination whose own values it leaves as they are; else it is one more. */
function addIncluded(kept: readonly Combination[], axes: readonly string[], included: readonly Combination[]) {
  const extended = kept.map((each) => ({ ...each }))
  const more: Combination[] = []
  for (const add of included) {
    const own = Object.fromEntries(Object.entries(add).filter(([name]) => axes.includes(name)))
    const fitting = kept.flatMap((each, i) => (matches(each, own) ? [extended[i]!] : []))
    for (const each of fitting) Object.assign(each, add)
    if (fitting.length === 0) more.push(add)
  }
  return [...extended, ...more]
}

const matches = (combination: Combination, part: Combination) =>
  Object.entries(part).every(([name, value]) => JSON.stringify(combination[name]) === JSON.stringify(value))

/** How a job of a matrix is called where nothing says it. */
export const matrixJobName = (id: string, combination: Combination) =>
  `${id} (${Object.values(combination)
    .map((value) => (typeof value === 'object' ? 'Object' : String(value)))
    .join(', ')})`
