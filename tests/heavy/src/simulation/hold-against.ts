import type { Check } from '../ground/part.ts'
import { type PolicyRecord, recordOf } from '../reproducer/policy-record.ts'

/** What a policy comes to: shares of its waves, and the staleness of its worst source. */
export interface Brief {
  readonly progressed: number
  readonly finished: number
  readonly worstHours: number
  readonly p95Hours: number
}

/** A share may be off by so much or by one wave, a staleness by this part of it or by a quarter of an hour. */
const TOLERANCE = 0.15
const TOLERANCE_HOURS = 0.25

/** Holds what the model foretold against what the reproducer measured, policy by policy. */
export function holdAgainst(measured: readonly PolicyRecord[], predicted: readonly PolicyRecord[]): Check[] {
  return measured.map((record) => {
    const promise = `the model foretells "${record.policy}" within 15 %`
    const foretold = predicted.find(({ policy }) => policy === record.policy)
    if (!foretold) return { promise, kept: false, seen: 'no run has ended by itself, of which it could learn' }
    const [is, was] = [briefOf(record), briefOf(foretold)]
    const shareOff = Math.max(TOLERANCE, 1 / Math.max(1, record.waves.length)) + 1e-9
    const share = (name: 'progressed' | 'finished') => Math.abs(is[name] - was[name]) <= shareOff
    const hours = (name: 'worstHours' | 'p95Hours') =>
      Math.abs(is[name] - was[name]) <= Math.max(TOLERANCE_HOURS, TOLERANCE * is[name])
    return {
      promise,
      kept: share('progressed') && share('finished') && hours('worstHours') && hours('p95Hours'),
      seen: `measured ${told(is)}; foretold ${told(was)}`,
    }
  })
}

export function briefOf({ progressed, finished, staleness }: PolicyRecord): Brief {
  const most = (of: 'worstHours' | 'p95Hours') => Math.max(0, ...staleness.map((source) => source[of]))
  return { progressed, finished, worstHours: most('worstHours'), p95Hours: most('p95Hours') }
}

/** Waves begin a little after their hour. */
const LATE_HOURS = 0.05

/** The part of a record that lies between two hours. */
export function between(record: PolicyRecord, fromHour: number, toHour: number): PolicyRecord {
  const waves = record.waves.filter(
    ({ startHour }) => startHour >= fromHour - LATE_HOURS && startHour < toHour - LATE_HOURS,
  )
  const samples = record.staleness.map(
    ({ source, samples }) => [source, samples.filter(([hour]) => hour >= fromHour && hour < toHour)] as const,
  )
  return recordOf(record.policy, waves, new Map(samples))
}

function told({ progressed, finished, worstHours, p95Hours }: Brief): string {
  const [progress, finish] = [progressed, finished].map((share) => `${Math.round(share * 100)} %`)
  return `${progress} progressed, ${finish} finished, ${worstHours.toFixed(2)} h at worst, ${p95Hours.toFixed(2)} h p95`
}
