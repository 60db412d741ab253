import MultivariateLinearRegression from 'ml-regression-multivariate-linear'
import type { PolicyRecord } from '../reproducer/policy-record.ts'
import type { SourceRun } from '../reproducer/wave.ts'
import type { Shape } from '../sources/shape.ts'
import type { Costs } from './costs.ts'
import { median } from './median.ts'
import type { Rules } from './rules.ts'

type Coefficient = 'fixed' | 'file' | 'section' | 'again' | 'page'

interface Circumstances {
  readonly rules: Rules
  readonly shapes: readonly Shape[]
  readonly hourSeconds: number
  /** What the start of a process takes that the runs of a policy begin with; records do not tell it. */
  readonly start: number
}

/** A run that has taken up its source and has let go of it. */
type Done = SourceRun & { readonly startHour: number; readonly endHour: number }

const isDone = (run: SourceRun): run is Done => run.startHour !== null && run.endHour !== null

/**
 * The costs that explain how long the runs of a policy took: a regression over those that ended by themselves. Of one
 * that a limit has killed nobody knows where it was.
 */
export function fitCosts(record: PolicyRecord, { rules, shapes, hourSeconds, start }: Circumstances): Costs {
  const shapeOf = new Map(shapes.map((shape) => [shape.id, shape]))
  const seconds = ({ startHour, endHour }: Done) => (endHour - startHour) * hourSeconds
  const rows = record.waves.flatMap(({ cut, sources }) =>
    sources
      .filter(isDone)
      .filter(
        ({ outcome, read }) => read > 0 && (outcome === 'finished' || (outcome === 'progressed' && !cut)),
      )
      .map((run) => {
        const { pages, sections } = shapeOf.get(run.source)!
        const paid = rules.keeps === 'nothing' ? run.read : run.stored
        return {
          took: seconds(run),
          fixed: 1,
          file: paid,
          section: paid * sections,
          again: rules.keeps === 'pages to read again' ? run.read - paid : 0,
          page: rules.keeps !== 'pages' && run.outcome === 'finished' ? pages : 0,
        }
      }),
  )
  const fitted = regression(rows, ['fixed', 'file', 'section', 'again', 'page'])
  const runs = record.waves.map(({ sources }) => sources.filter(isDone))
  const leads = record.waves.flatMap(({ startHour }, i) =>
    runs[i]!.slice(0, 1).map((first) => (first.startHour - startHour) * hourSeconds),
  )
  const gaps = runs.flatMap((each) =>
    each.slice(1).map((run, i) => (run.startHour - each[i]!.endHour) * hourSeconds),
  )
  const looks = runs.flat().filter(({ outcome, read }) => outcome === 'finished' && read === 0)
  return {
    ...fitted,
    start,
    lead: Math.max(0, median(leads)),
    gap: rules.lanes === 1 ? Math.max(0, median(gaps)) : 0,
    look: median(looks.map(seconds), fitted.fixed),
  }
}

/** Least squares, in which nothing costs less than nothing: what would is left out, the worst first. */
function regression(
  rows: readonly (Record<Coefficient, number> & { took: number })[],
  names: readonly Coefficient[],
): Record<Coefficient, number> {
  const none = { fixed: 0, file: 0, section: 0, again: 0, page: 0 }
  const known = names.filter((name) => rows.some((row) => row[name] !== 0))
  if (rows.length < known.length || known.length === 0) return none
  const { weights } = new MultivariateLinearRegression(
    rows.map((row) => known.map((name) => row[name])),
    rows.map(({ took }) => [took]),
    { intercept: false, statistics: false },
  )
  const costs = known.map((name, i) => ({ name, cost: weights[i]![0]! }))
  const worst = costs.toSorted((a, b) => a.cost - b.cost)[0]!
  if (worst.cost < 0)
    return regression(
      rows,
      known.filter((name) => name !== worst.name),
    )
  return { ...none, ...Object.fromEntries(costs.map(({ name, cost }) => [name, cost])) }
}
