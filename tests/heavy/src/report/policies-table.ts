import { figureTable, formatCount, formatHours, formatPercent, renderMarkdown } from '../harness/tables.ts'
import type { PolicyRecord } from '../reproduction/policy-record.ts'

/** What the policies have done and come to, a column each. */
export function policiesTable(policies: readonly PolicyRecord[]): string {
  const staleness = policies[0]!.staleness.map(
    ({ source }, i) =>
      [
        `${source} was stale for up to`,
        ({ staleness }: PolicyRecord) => formatHours(staleness[i]!.worstHours),
      ] as const,
  )
  const table = figureTable(policies, ({ policy }) => policy, {
    waves: ({ waves }) => `${waves.length}`,
    'not killed': ({ notKilled }) => formatPercent(notKilled),
    'made progress': ({ progressed }) => formatPercent(progressed),
    finished: ({ finished }) => formatPercent(finished),
    'runs of a source that were ended early': ({ stopped }) => `${stopped}`,
    'locks for a person to break': ({ interventions }) => `${interventions}`,
    'wrong pages': ({ wrongPages }) => `${wrongPages}`,
    ...Object.fromEntries(staleness),
    'files read': ({ read }) => formatCount(read),
    'of them once more': ({ readAgain }) => formatCount(readAgain),
    'pages stored': ({ stored }) => formatCount(stored),
    'stored once more': ({ storedAgain }) => formatCount(storedAgain),
    'kB stored': ({ bytes }) => formatCount(bytes / 1_000),
    'texts embedded': ({ embedded }) => formatCount(embedded),
    'texts that wait for it': ({ unembedded }) => formatCount(unembedded),
  })
  return renderMarkdown(table)
}
