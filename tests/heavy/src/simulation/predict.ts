import { type PolicyRecord, recordOf } from '../reproducer/policy-record.ts'
import { outcomeOf, type SourceRun } from '../reproducer/wave.ts'
import type { Costs } from './costs.ts'
import type { Rules } from './rules.ts'
import { simulate, type World } from './simulate.ts'

/** How many times an hour a source's staleness is looked at. */
const SAMPLES_AN_HOUR = 20

/** Everything that a policy would do, in the words of the reproducer. For some sources; thousands are summed up. */
export function predict(rules: Rules, costs: Costs, world: World): PolicyRecord {
  const { sources, hours } = world
  const waves: { startHour: number; endHour: number; cut: boolean; sources: SourceRun[] }[] = []
  const freshness = sources.map(({ isNew, arrivals }) => [
    { hour: 0, behindSince: isNew ? 0 : (arrivals.hours[0] ?? Number.POSITIVE_INFINITY) },
  ])
  simulate(rules, costs, world, {
    waveBegan(wave, hour) {
      waves[wave] = { startHour: hour, endHour: hour, cut: false, sources: [] }
    },
    ran({ wave: number, source, refused: _, ...run }) {
      const wave = waves[number]!
      wave.sources.push({ source: sources[source]!.id, ...run })
      wave.endHour = Math.max(wave.endHour, run.endHour ?? 0)
    },
    cut(wave) {
      waves[wave]!.cut = true
    },
    caughtUp(source, hour, behindSince) {
      freshness[source]!.push({ hour, behindSince })
    },
  })
  const samples = sources.map(({ id }, i): [string, [number, number][]] => {
    const changes = freshness[i]!
    let at = 0
    return [
      id,
      Array.from({ length: hours * SAMPLES_AN_HOUR }, (_, n) => {
        const hour = n / SAMPLES_AN_HOUR
        while (at + 1 < changes.length && changes[at + 1]!.hour <= hour) at++
        return [hour, Math.max(0, hour - changes[at]!.behindSince)]
      }),
    ]
  })
  return recordOf(
    rules.policy,
    waves.map((wave) => ({ ...wave, outcome: outcomeOf(wave.sources) })),
    new Map(samples),
  )
}
