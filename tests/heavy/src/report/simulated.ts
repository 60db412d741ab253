import type { SimulationFigures } from '../simulation/simulation.ts'
import type { Sums } from '../simulation/sum-up.ts'
import { anyFigures } from './any-figures.ts'
import { hoursText, percent, table } from './table.ts'

/** What we promise of a policy, here of all runs that a schedule asks for. */
const PROGRESSED = 0.95
const WORST_HOURS = 2

const keeps = ({ progressed, worstHours }: Sums) => progressed >= PROGRESSED && worstHours <= WORST_HOURS

/** What the model foretold of the reproducer, and what it says of what no machine here can run. */
export function simulatedSection({ learntUntilHour, foretold, costs, answers }: SimulationFigures): string {
  const pair = (of: (share: number) => string, measured: number, predicted: number) =>
    `${of(measured)} / ${of(predicted)}`
  const held = table(
    ['policy', 'made progress', 'finished', 'worst staleness', 'p95 staleness'],
    foretold.map(({ policy, measured, predicted }) => [
      policy,
      pair(percent, measured.progressed, predicted.progressed),
      pair(percent, measured.finished, predicted.finished),
      pair(hoursText, measured.worstHours, predicted.worstHours),
      pair(hoursText, measured.p95Hours, predicted.p95Hours),
    ]),
  )
  return [
    `The model has learnt its costs from the first ${learntUntilHour} hours and has foretold the others; measured / foretold:`,
    held,
    'What the command takes here, in seconds, and the model asked with it on a clock whose hours are hours. The incumbent’s costs are its account’s.',
    anyFigures(costs),
    ...answers.flatMap(({ question, rows }) => [`### ${question}`, answerTable(rows)]),
    '### From which size on a promise is missed',
    `Of the sizes that were asked about: less than ${percent(PROGRESSED)} of the runs make progress, or a source is stale for more than ${WORST_HOURS} hours.`,
    breakdowns(answers.flatMap(({ rows }) => rows)),
  ].join('\n\n')
}

const answerTable = (rows: readonly Sums[]) =>
  table(
    [
      'policy',
      'runs with progress',
      'finished',
      'worst staleness',
      'p95',
      'no connection',
      'at work in the busiest hour',
    ],
    rows.map(({ policy, progressed, finished, worstHours, p95Hours, refused, busiestHour }) => [
      policy,
      percent(progressed),
      percent(finished),
      hoursText(worstHours),
      hoursText(p95Hours),
      percent(refused),
      busiestHour.toFixed(2),
    ]),
  )

function breakdowns(rows: readonly Sums[]): string {
  const policies = [...new Set(rows.map(({ policy }) => policy))]
  const most = Math.max(...rows.map(({ sources }) => sources))
  // The rows of one policy alone answer another question.
  const compared = rows.filter(({ sources, hours }) =>
    policies.every((policy) =>
      rows.some((row) => row.policy === policy && row.sources === sources && row.hours === hours),
    ),
  )
  return table(
    ['policy', 'from so many sources on'],
    policies.map((policy) => {
      const broken = compared.filter((row) => row.policy === policy && !keeps(row)).map(({ sources }) => sources)
      return [
        policy,
        broken.length === 0 ? `not up to ${most.toLocaleString('en')}` : Math.min(...broken).toLocaleString('en'),
      ]
    }),
  )
}
