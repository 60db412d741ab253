import type { Check } from '../harness/harness.ts'
import { formatHours, formatPercent } from '../harness/tables.ts'
import { MODEL_TOLERANCE, MODEL_TOLERANCE_HOURS } from '../harness/thresholds.ts'
import { createRecord, type PolicyRecord, type PolicySummary, summarize } from '../reproduction/policy-record.ts'

/** Compares what the model predicted with what the reproduction measured, policy by policy. */
export function validateModel(measured: readonly PolicyRecord[], predicted: readonly PolicyRecord[]): Check[] {
  return measured.map((record) => {
    const check = `the model predicts "${record.policy}" within ${formatPercent(MODEL_TOLERANCE)}`
    const prediction = predicted.find(({ policy }) => policy === record.policy)
    if (!prediction) return { check, passed: false, observed: 'no run has ended by itself, of which it could learn' }
    const [was, expected] = [summarize(record), summarize(prediction)]
    // Of few waves, one is more than the tolerance.
    const shareTolerance = Math.max(MODEL_TOLERANCE, 1 / Math.max(1, record.waves.length)) + 1e-9
    const off = (key: keyof PolicySummary) => Math.abs(was[key] - expected[key])
    const isClose = (key: 'worstHours' | 'p95Hours') =>
      off(key) <= Math.max(MODEL_TOLERANCE_HOURS, MODEL_TOLERANCE * was[key])
    const sharesAreClose = off('progressed') <= shareTolerance && off('finished') <= shareTolerance
    return {
      check,
      passed: sharesAreClose && isClose('worstHours') && isClose('p95Hours'),
      observed: `measured ${formatSummary(was)}; predicted ${formatSummary(expected)}`,
    }
  })
}

const formatSummary = ({ progressed, finished, worstHours, p95Hours }: PolicySummary) =>
  `${formatPercent(progressed)} progressed, ${formatPercent(finished)} finished, ${formatHours(worstHours)} at worst, ${formatHours(p95Hours)} p95`

/** Waves begin a little after their hour. */
const LATE_HOURS = 0.05

/** The part of a record that lies between two hours. */
export function sliceRecord(record: PolicyRecord, fromHour: number, toHour: number): PolicyRecord {
  const waves = record.waves.filter(
    ({ startHour }) => startHour >= fromHour - LATE_HOURS && startHour < toHour - LATE_HOURS,
  )
  const samples = record.staleness.map(
    ({ source, samples }) => [source, samples.filter(([hour]) => hour >= fromHour && hour < toHour)] as const,
  )
  return createRecord(record.policy, waves, new Map(samples))
}
