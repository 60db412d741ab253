import { createHash } from 'node:crypto'
import type { DueSource } from './due-sources.ts'

/** A job of the matrix, in the words of a workflow. */
export interface MatrixEntry {
  /** What the job is called. */
  readonly name: string
  /** Names of its sources, most stale first, parted by spaces; for the input `sources`. */
  readonly sources: string
  /** Budget of each of them, in each step; for the input `timeout`. */
  readonly timeout: string
  /** When GitHub should end the job, well after every budget is spent. */
  readonly 'timeout-minutes': number
  /** Jobs of one group do not run at once. */
  readonly group: string
}

/** What a job does with its sources. */
export interface JobShape {
  /** How many of them it syncs side by side. */
  readonly concurrency: number
  /** Whether it embeds them afterwards, one after another. */
  readonly embeds: boolean
  /**
   * Tells its wave from others. A job of several sources waits for no other: two waves seldom pack the same ones
   * together, and whichever comes second finds them busy.
   */
  readonly wave?: string | undefined
}

/** What GitHub allows in a matrix. */
export const MAX_ENTRIES = 256

/** What GitHub allows a job on its own runners, less what checking out and stopping take. */
const MAX_JOB_MS = 350 * 60_000
const JOB_OVERHEAD_MINUTES = 5

/** A check that finds nothing new takes a tenth of a second, and GitHub counts whole minutes for each job. */
const CHECKS_PER_JOB = 64
const MAX_CHECK_JOBS = 32

/**
 * A job for each source that has something to do, or several to a job where there are more than a matrix has, each
 * beginning with one of the most stale; and few jobs for all that have not moved and are only to be checked.
 */
export function matrixEntries(due: readonly DueSource[], shape: JobShape): MatrixEntry[] {
  const checks = due.filter(({ reason }) => reason === 'every')
  const work = due.filter(({ reason }) => reason !== 'every')
  const checkJobs = Math.min(Math.ceil(checks.length / CHECKS_PER_JOB), MAX_CHECK_JOBS)
  const workJobs = Math.min(work.length, MAX_ENTRIES - checkJobs)
  const packGroup = (kind: string, i: number) =>
    ['tidemark', kind, i, shape.wave].filter((part) => part !== undefined).join('-')
  return [
    ...roundRobin(work, workJobs).map((sources, i) => matrixEntry(sources, shape, packGroup('pack', i))),
    ...roundRobin(checks, checkJobs).map((sources, i) => matrixEntry(sources, shape, packGroup('look', i))),
  ]
}

function roundRobin<T>(items: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, place) => items.filter((_, i) => i % count === place))
}

function matrixEntry(
  sources: readonly DueSource[],
  { concurrency, embeds }: JobShape,
  sharedGroup: string,
): MatrixEntry {
  // How many budgets may be spent one after another.
  const rounds = Math.ceil(sources.length / concurrency) + (embeds ? sources.length : 0)
  const maxBudgetMs = Math.max(...sources.map(({ budgetMs }) => budgetMs))
  const budgetS = Math.ceil(Math.min(maxBudgetMs, MAX_JOB_MS / rounds) / 1000)
  const ids = sources.map(({ id }) => id)
  return {
    name: ids.length === 1 ? ids[0]! : `${ids[0]} and ${ids.length - 1} more`,
    sources: ids.join(' '),
    timeout: `${budgetS}s`,
    'timeout-minutes': Math.ceil((budgetS * rounds) / 60) + JOB_OVERHEAD_MINUTES,
    group: ids.length === 1 ? concurrencyGroup(ids[0]!) : sharedGroup,
  }
}

/** GitHub takes groups that differ in upper and lower case for one, and sources that do are two. */
function concurrencyGroup(id: string): string {
  if (id === id.toLowerCase()) return `tidemark-sync-${id}`
  return `tidemark-sync-${id}-${createHash('sha256').update(id).digest('hex').slice(0, 8)}`
}
