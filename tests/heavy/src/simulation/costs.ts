/** What a policy's work takes, in seconds of a real clock. */
export interface Costs {
  /** From the start of a wave to its first source: processes that start, a plan, a break of locks. */
  readonly lead: number
  /** Between a source and the next of the same lane. */
  readonly gap: number
  /** Of `look` and `fixed`, what passes before the budget begins: the start of a process. */
  readonly start: number
  /** A source that has nothing new. */
  readonly look: number
  /** A source that has, before and after its files. */
  readonly fixed: number
  /** A file that is stored, and what each section of it adds. */
  readonly file: number
  readonly section: number
  /** A file that is read again though it is stored. */
  readonly again: number
  /** For each page of the source, after its files: the incumbent extracts all links anew. */
  readonly page: number
}

/** What was measured of the real command on this machine, in seconds. */
export interface MeasuredCosts {
  /** A process, until it looks at a source and after it. */
  readonly start: number
  readonly look: number
  readonly fixed: number
  readonly file: number
  readonly section: number
}

/**
 * The incumbent's as its account has them: five minutes for fifty changed files, of which the links of all pages take
 * the greater part; a run that is done within 1,100 to 1,800 seconds. A first fix's file that it has already costs a
 * read and a comparison.
 *
 * @param pages Of a source of that account, whose links take 200 seconds.
 */
const publishedCosts = (pages: number): Costs => ({
  lead: 1,
  gap: 1,
  start: 0,
  look: 2,
  fixed: 0,
  file: 1.9,
  section: 0.05,
  again: 0.01,
  page: 200 / pages,
})

/** A policy's on a clock whose hours are hours. @param pages Of a source of the account. */
export function costsOf(policy: string, measured: MeasuredCosts, pages: number): Costs {
  if (policy === 'old' || policy === 'first fix') return publishedCosts(pages)
  const { start, look, fixed, ...each } = measured
  // Side by side in one process they start once.
  const own = policy === 'all' ? 0 : start
  return {
    lead: start + look,
    gap: 0,
    start: own,
    look: own + look,
    fixed: own + fixed,
    again: 0,
    page: 0,
    ...each,
  }
}
