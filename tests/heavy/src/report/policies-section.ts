import { formatCount, formatHours, formatPercent, renderMarkdown } from '../harness/tables.ts'
import type { PolicyRecord } from '../reproduction/policy-record.ts'

const COLUMNS = ['policy', 'waves', 'made progress', 'finished', 'killed', 'files read', 'read again']

/** What the policies have come to. */
export function policiesSection(policies: readonly PolicyRecord[]): string {
  const sources = policies[0]?.staleness.map(({ source }) => source) ?? []
  const summary = renderMarkdown({
    columns: [...COLUMNS, 'locks for a person to break'],
    rows: policies.map(({ policy, waves, progressed, finished, read, readAgain, interventions }) => [
      policy,
      `${waves.length}`,
      formatPercent(progressed),
      formatPercent(finished),
      `${waves.filter(({ killed }) => killed).length}`,
      formatCount(read),
      formatCount(readAgain),
      `${interventions}`,
    ]),
  })
  const staleness = renderMarkdown({
    columns: ['policy', ...sources.map((source) => `${source}: worst (p95)`)],
    rows: policies.map((record) => [
      record.policy,
      ...sources.map((name) => {
        const found = record.staleness.find(({ source }) => source === name)
        return found ? `${formatHours(found.worstHours)} (${formatHours(found.p95Hours)})` : '–'
      }),
    ]),
  })
  return `${summary}\n\nStaleness is for how long a source has not been what its ref is.\n\n${staleness}`
}
