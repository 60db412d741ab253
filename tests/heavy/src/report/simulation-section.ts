import { formatCount, formatHours, formatPercent, renderMarkdown } from '../harness/tables.ts'
import { MAX_STALE_HOURS, MIN_PROGRESSED } from '../harness/thresholds.ts'
import type { Totals } from '../simulation/simulate-totals.ts'
import type { SimulationFigures } from '../simulation/simulation.ts'
import { jsonToMarkdown } from './json-to-markdown.ts'

/** What we promise of a policy, here of all runs that a schedule asks for. */
const keepsPromises = ({ progressed, worstHours }: Totals) =>
  progressed >= MIN_PROGRESSED && worstHours <= MAX_STALE_HOURS

/** What the model predicted of the reproduction, and what it says of what no machine here can run. */
export function simulationSection({ fittedUntilHour, predictions, costs, scenarios }: SimulationFigures): string {
  const pair = (format: (share: number) => string, measured: number, predicted: number) =>
    `${format(measured)} / ${format(predicted)}`
  const validation = renderMarkdown({
    columns: ['policy', 'made progress', 'finished', 'worst staleness', 'p95 staleness'],
    rows: predictions.map(({ policy, measured, predicted }) => [
      policy,
      pair(formatPercent, measured.progressed, predicted.progressed),
      pair(formatPercent, measured.finished, predicted.finished),
      pair(formatHours, measured.worstHours, predicted.worstHours),
      pair(formatHours, measured.p95Hours, predicted.p95Hours),
    ]),
  })
  return [
    `The model was fitted to the first ${fittedUntilHour} hours and has predicted the others; measured / predicted:`,
    validation,
    'What the command takes here, in seconds, and what the model says with it on a clock whose hours are hours. The incumbent’s costs are its account’s.',
    jsonToMarkdown(costs),
    ...scenarios.flatMap(({ scenario, rows }) => [`### ${scenario}`, totalsTable(rows)]),
    '### From which size on a promise is missed',
    `Of the sizes that were simulated: less than ${formatPercent(MIN_PROGRESSED)} of the runs make progress, or a source is stale for more than ${MAX_STALE_HOURS} hours.`,
    limitsTable(scenarios.flatMap(({ rows }) => rows)),
  ].join('\n\n')
}

const TOTALS = ['policy', 'runs with progress', 'finished', 'worst staleness', 'p95', 'no connection']

const totalsTable = (rows: readonly Totals[]) =>
  renderMarkdown({
    columns: [...TOTALS, 'at work in the busiest hour'],
    rows: rows.map(({ policy, progressed, finished, worstHours, p95Hours, refused, busiestHour }) => [
      policy,
      formatPercent(progressed),
      formatPercent(finished),
      formatHours(worstHours),
      formatHours(p95Hours),
      formatPercent(refused),
      busiestHour.toFixed(2),
    ]),
  })

function limitsTable(rows: readonly Totals[]): string {
  const policies = [...new Set(rows.map(({ policy }) => policy))]
  const max = Math.max(...rows.map(({ sources }) => sources))
  // The rows of one policy alone belong to another scenario.
  const compared = rows.filter(({ sources, hours }) =>
    policies.every((policy) =>
      rows.some((row) => row.policy === policy && row.sources === sources && row.hours === hours),
    ),
  )
  return renderMarkdown({
    columns: ['policy', 'from so many sources on'],
    rows: policies.map((policy) => {
      const missed = compared.filter((row) => row.policy === policy && !keepsPromises(row))
      const least = Math.min(...missed.map(({ sources }) => sources))
      return [policy, missed.length === 0 ? `not up to ${formatCount(max)}` : formatCount(least)]
    }),
  })
}
