import MultivariateLinearRegression from 'ml-regression-multivariate-linear'
import { median } from '../harness/statistics.ts'
import type { PolicyRecord, SourceRun } from '../reproduction/policy-record.ts'
import type { Shape } from '../reproduction/schedule.ts'
import type { Costs } from './costs.ts'
import type { Rules } from './rules.ts'

type Coefficient = 'fixed' | 'file' | 'section' | 'reread' | 'page'

/** What a policy has done, and by which rules. */
export interface Observed {
  readonly record: PolicyRecord
  readonly rules: Rules
}

interface Circumstances {
  /** Of the policies that run the same code, this one among them: what a file costs is fitted to all of them. */
  readonly sharedRuns: readonly Observed[]
  readonly shapes: readonly Shape[]
  readonly hourSeconds: number
  /** What the start of a process takes that the runs of a policy begin with; records do not have it. */
  readonly start: number
}

/** A run that has taken up its source and has let go of it. */
type CompletedRun = SourceRun & { readonly startHour: number; readonly endHour: number }

const isCompleted = (run: SourceRun): run is CompletedRun => run.startHour !== null && run.endHour !== null

/**
 * The costs that explain how long the runs of a policy took: a regression over those that ended by themselves. Of one
 * that a limit has killed nobody knows where it was.
 *
 * @returns null where there is none.
 */
export function fitCosts(
  { record, rules }: Observed,
  { sharedRuns, shapes, hourSeconds, start }: Circumstances,
): Costs | null {
  const rows = sharedRuns.flatMap((each) => toRows(each, shapes, hourSeconds))
  if (rows.length === 0) return null
  const fitted = regression(rows)
  const seconds = ({ startHour, endHour }: CompletedRun) => (endHour - startHour) * hourSeconds
  const runs = record.waves.map(({ sources }) => sources.filter(isCompleted))
  const leads = record.waves.flatMap(({ startHour }, i) =>
    runs[i]!.slice(0, 1).map((first) => (first.startHour - startHour) * hourSeconds),
  )
  const gaps = runs.flatMap((each) => each.slice(1).map((run, i) => (run.startHour - each[i]!.endHour) * hourSeconds))
  const checks = runs.flat().filter(({ outcome, read }) => outcome === 'finished' && read === 0)
  return {
    ...fitted,
    start,
    lead: Math.max(0, leads.length === 0 ? 0 : median(leads)),
    gap: rules.lanes === 1 ? Math.max(0, gaps.length === 0 ? 0 : median(gaps)) : 0,
    check: checks.length === 0 ? fitted.fixed : median(checks.map(seconds)),
  }
}

/** A run that ended by itself without a bookmark has worked until its budget was spent. */
const WORKED = new Set<SourceRun['outcome']>(['progressed', 'stuck'])

type Row = Readonly<Record<Coefficient, number> & { took: number }>

function toRows({ record, rules }: Observed, shapes: readonly Shape[], hourSeconds: number): Row[] {
  const finished = record.waves.flatMap(({ killed, sources }) =>
    sources
      .filter(isCompleted)
      .filter(({ outcome, read }) => (outcome === 'finished' ? read > 0 : WORKED.has(outcome) && !killed)),
  )
  return finished.map((run) => {
    const { pages, sections } = shapes.find(({ id }) => id === run.source)!
    const paid = rules.keeps === 'nothing' ? run.read : run.stored
    return {
      took: (run.endHour - run.startHour) * hourSeconds,
      fixed: 1,
      file: paid,
      section: paid * sections,
      reread: rules.keeps === 'pages to read again' ? run.read - paid : 0,
      page: rules.keeps !== 'pages' && run.outcome === 'finished' ? pages : 0,
    }
  })
}

/** The most important first: few runs determine no more than a few. */
const COEFFICIENTS: readonly Coefficient[] = ['fixed', 'file', 'page', 'section', 'reread']
const ROWS_PER_COEFFICIENT = 2

/** Least squares, in which nothing costs less than nothing: what would is left out, the worst first. */
function regression(rows: readonly Row[], names: readonly Coefficient[] = COEFFICIENTS): Record<Coefficient, number> {
  const none = { fixed: 0, file: 0, section: 0, reread: 0, page: 0 }
  const known = names
    .filter((name) => rows.some((row) => row[name] !== 0))
    .slice(0, Math.ceil(rows.length / ROWS_PER_COEFFICIENT))
  if (known.length === 0) return none
  const { weights } = new MultivariateLinearRegression(
    rows.map((row) => known.map((name) => row[name])),
    rows.map(({ took }) => [took]),
    { intercept: false, statistics: false },
  )
  const costs = known.map((name, i) => ({ name, cost: weights[i]![0]! }))
  const worst = costs.toSorted((a, b) => a.cost - b.cost)[0]!
  if (worst.cost < 0) {
    return regression(
      rows,
      names.filter((name) => name !== worst.name),
    )
  }
  return { ...none, ...Object.fromEntries(costs.map(({ name, cost }) => [name, cost])) }
}
