import type { Check } from '../harness/harness.ts'
import { formatHours, formatPercent } from '../harness/tables.ts'
import {
  MAX_BASELINE_PROGRESSED,
  MAX_STALE_HOURS,
  MIN_BASELINE_STALE_HOURS,
  MIN_PROGRESSED,
} from '../harness/thresholds.ts'
import { type PolicyRecord, summarize } from './policy-record.ts'

/** The policies that are ours. */
export const OURS = ['cron', 'all', 'independent', 'matrix']

/** Whether ours keep what we promise, and whether the old policy has shown what it was known for. */
export function checkPolicies(records: readonly PolicyRecord[], hours: number): Check[] {
  const ours = records.filter(({ policy }) => OURS.includes(policy))
  const each = (sentence: string, observe: (record: PolicyRecord) => Omit<Check, 'check'>) =>
    ours.map((record) => ({ check: `${record.policy}: ${sentence}`, ...observe(record) }))
  const old = records.find(({ policy }) => policy === 'old')!
  const baseline = summarize(old)
  // In fewer hours a source cannot be that stale, but for most of them.
  const staleHours = Math.min(MIN_BASELINE_STALE_HOURS, hours * 0.75)
  return [
    ...each(`at least ${formatPercent(MIN_PROGRESSED)} of the runs make progress`, ({ progressed }) => ({
      passed: progressed >= MIN_PROGRESSED,
      observed: formatPercent(progressed),
    })),
    ...each(`no source is ever stale for more than ${MAX_STALE_HOURS} hours`, (record) => {
      const { worstHours } = summarize(record)
      return { passed: worstHours <= MAX_STALE_HOURS, observed: formatHours(worstHours) }
    }),
    ...each('no lock waits for a person', ({ interventions }) => ({
      passed: interventions === 0,
      observed: `${interventions}`,
    })),
    {
      check: `baseline: fewer than ${formatPercent(MAX_BASELINE_PROGRESSED)} of the old policy's runs make progress`,
      passed: baseline.progressed < MAX_BASELINE_PROGRESSED,
      observed: formatPercent(baseline.progressed),
    },
    {
      check: `baseline: under the old policy a source is stale for ${staleHours} of ${hours} hours`,
      passed: baseline.worstHours >= staleHours,
      observed: formatHours(baseline.worstHours),
    },
    {
      check: "baseline: under the old policy a dead run's lock refuses a later one",
      passed: old.interventions > 0,
      observed: `${old.interventions}`,
    },
  ]
}
