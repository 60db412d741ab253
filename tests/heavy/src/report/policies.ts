import type { PolicyRecord } from '../reproducer/policy-record.ts'
import { hoursText, percent, table } from './table.ts'

/** What the policies have come to. */
export function policiesSection(policies: readonly PolicyRecord[]): string {
  const sources = policies[0]?.staleness.map(({ source }) => source) ?? []
  const summary = table(
    [
      'policy',
      'waves',
      'made progress',
      'finished',
      'killed',
      'files read',
      'read again',
      'locks for a person to break',
    ],
    policies.map(({ policy, waves, progressed, finished, read, readAgain, interventions }) => [
      policy,
      `${waves.length}`,
      percent(progressed),
      percent(finished),
      `${waves.filter(({ cut }) => cut).length}`,
      Math.round(read).toLocaleString('en'),
      Math.round(readAgain).toLocaleString('en'),
      `${interventions}`,
    ]),
  )
  const staleness = table(
    ['policy', ...sources.map((source) => `${source}: worst (p95)`)],
    policies.map((record) => [
      record.policy,
      ...sources.map((name) => {
        const found = record.staleness.find(({ source }) => source === name)
        return found ? `${hoursText(found.worstHours)} (${hoursText(found.p95Hours)})` : '–'
      }),
    ]),
  )
  return `${summary}\n\nStaleness is for how long a source has not been what its ref is.\n\n${staleness}`
}
