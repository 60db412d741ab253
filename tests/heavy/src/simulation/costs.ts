/** What a policy's work takes, in seconds of a real clock. */
export interface Costs {
  /** From the start of a wave to its first source: processes that start, a plan, a break of locks. */
  readonly lead: number
  /** Between a source and the next of the same lane. */
  readonly gap: number
  /** Of `check` and `fixed`, what passes before the budget begins: the start of a process. */
  readonly start: number
  /** A source that has nothing new. */
  readonly check: number
  /** A source that has, before and after its files. */
  readonly fixed: number
  /** A file that is stored, and what each section of it adds. */
  readonly file: number
  readonly section: number
  /** A file that is read again though it is stored. */
  readonly reread: number
  /** For each page of the source, after its files: the incumbent extracts all links anew. */
  readonly page: number
}

/** Of the real command on this machine; `start` is a process until it checks a source, and after it. */
export type MeasuredCosts = Pick<Costs, 'start' | 'check' | 'fixed' | 'file' | 'section'>

/**
 * A policy's costs on a clock whose hours are hours. The incumbent's are as its account has them: five minutes for
 * fifty changed files, of which the links of all pages take 200 seconds; a run that is done within 1,100 to 1,800
 * seconds. A first fix's file that it has already costs a read and a comparison.
 *
 * @param pages Of a source of the account.
 */
export function createCosts(policy: string, measured: MeasuredCosts, pages: number): Costs {
  if (policy === 'old' || policy === 'first fix') {
    const each = { file: 1.9, section: 0.05, reread: 0.01, page: 200 / pages }
    return { lead: 1, gap: 1, start: 0, check: 2, fixed: 0, ...each }
  }
  const { start, check, fixed, ...each } = measured
  // Side by side in one process they start once.
  const own = policy === 'all' ? 0 : start
  return {
    lead: start + check,
    gap: 0,
    start: own,
    check: own + check,
    fixed: own + fixed,
    reread: 0,
    page: 0,
    ...each,
  }
}
