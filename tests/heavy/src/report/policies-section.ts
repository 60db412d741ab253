import { formatCount, formatHours, formatPercent, renderMarkdown } from '../harness/tables.ts'
import type { PolicyRecord } from '../reproduction/policy-record.ts'

type Row = Readonly<Record<string, (record: PolicyRecord) => string>>

/** How the runs went. */
const RUNS: Row = {
  policy: ({ policy }) => policy,
  waves: ({ waves }) => `${waves.length}`,
  'not killed': ({ notKilled }) => formatPercent(notKilled),
  'made progress': ({ progressed }) => formatPercent(progressed),
  finished: ({ finished }) => formatPercent(finished),
  'runs of a source that were ended early': ({ stopped }) => `${stopped}`,
  'locks for a person to break': ({ interventions }) => `${interventions}`,
  'wrong pages': ({ wrongPages }) => `${wrongPages}`,
}

/** What was done. */
const WORK: Row = {
  policy: ({ policy }) => policy,
  'files read': ({ read }) => formatCount(read),
  'read again': ({ readAgain }) => formatCount(readAgain),
  'pages stored': ({ stored }) => formatCount(stored),
  'stored again': ({ storedAgain }) => formatCount(storedAgain),
  'kB stored': ({ bytes }) => formatCount(bytes / 1_000),
  'texts embedded': ({ embedded }) => formatCount(embedded),
  'texts that wait': ({ unembedded }) => formatCount(unembedded),
}

const policiesTable = (policies: readonly PolicyRecord[], row: Row) =>
  renderMarkdown({
    columns: Object.keys(row),
    rows: policies.map((record) => Object.values(row).map((format) => format(record))),
  })

/** What the policies have come to. */
export function policiesSection(policies: readonly PolicyRecord[]): string {
  const sources = policies[0]?.staleness.map(({ source }) => source) ?? []
  const staleness = renderMarkdown({
    columns: ['policy', ...sources.map((source) => `${source}`)],
    rows: policies.map((record) => [
      record.policy,
      ...record.staleness.map(({ worstHours }) => formatHours(worstHours)),
    ]),
  })
  return [
    policiesTable(policies, RUNS),
    'What each policy did in these hours:',
    policiesTable(policies, WORK),
    'For how long each source has not been what its ref is, at the most:',
    staleness,
  ].join('\n\n')
}
