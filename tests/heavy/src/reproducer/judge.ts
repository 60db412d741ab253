import type { Check } from '../ground/part.ts'
import type { PolicyRecord } from './policy-record.ts'

/** The policies that are ours. */
export const OURS = ['cron', 'all', 'independent', 'matrix']

/** What we promise of ours. */
const PROGRESSED = 0.95
const WORST_HOURS = 2

/** The disease of the old policy: a third of its runs made it, and sources were stale for more than two days. */
const SICK_PROGRESSED = 0.5
const SICK_HOURS = 50

/** Whether ours keep what we promise, and whether the old policy has shown what it was known for. */
export function judge(records: readonly PolicyRecord[], hours: number): Check[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const ours = records.filter(({ policy }) => OURS.includes(policy))
  const sick = records.find(({ policy }) => policy === 'old')!
  // In fewer hours a source cannot be that stale, but for most of them.
  const sickHours = Math.min(SICK_HOURS, hours * 0.75)
  return [
    ...ours.map((record) => ({
      promise: `${record.policy}: at least ${percent(PROGRESSED)} of the runs make progress`,
      kept: record.progressed >= PROGRESSED,
      seen: percent(record.progressed),
    })),
    ...ours.map((record) => ({
      promise: `${record.policy}: no source is ever stale for more than ${WORST_HOURS} hours`,
      kept: worst(record) <= WORST_HOURS,
      seen: `${worst(record).toFixed(2)} h`,
    })),
    ...ours.map((record) => ({
      promise: `${record.policy}: no lock waits for a person`,
      kept: record.interventions === 0,
      seen: `${record.interventions}`,
    })),
    {
      promise: `the old policy is as sick as it was: fewer than ${percent(SICK_PROGRESSED)} of its runs make progress`,
      kept: sick.progressed < SICK_PROGRESSED,
      seen: percent(sick.progressed),
    },
    {
      promise: `the old policy is as sick as it was: a source is stale for ${sickHours} of ${hours} hours`,
      kept: worst(sick) >= sickHours,
      seen: `${worst(sick).toFixed(1)} h`,
    },
    {
      promise: 'the old policy is as sick as it was: a dead run’s lock refuses a later one',
      kept: sick.interventions > 0,
      seen: `${sick.interventions}`,
    },
  ]
}

/** The staleness of the source that was worst off. */
export const worst = ({ staleness }: PolicyRecord): number => Math.max(...staleness.map(({ worstHours }) => worstHours))
