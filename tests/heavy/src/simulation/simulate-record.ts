import { createRecord, type PolicyRecord, type SourceRun, waveOutcome } from '../reproduction/policy-record.ts'
import type { Costs } from './costs.ts'
import { behindSince, startProgress } from './model-source.ts'
import type { Rules } from './rules.ts'
import { simulate, type World } from './simulate.ts'

/** How many times an hour a source's staleness is sampled. */
const SAMPLES_PER_HOUR = 20

/** Everything that a policy would do, as the reproduction records it. For some sources; thousands are totalled. */
export function simulateRecord(rules: Rules, costs: Costs, world: World): PolicyRecord {
  const { sources, hours } = world
  const waves: { startHour: number; endHour: number; killed: boolean; sources: SourceRun[] }[] = []
  const freshness = sources.map((source) => [{ hour: 0, since: behindSince(source, startProgress(source)) }])
  simulate(rules, costs, world, {
    waveStarted(wave, hour) {
      waves[wave] = { startHour: hour, endHour: hour, killed: false, sources: [] }
    },
    waveKilled(wave) {
      waves[wave]!.killed = true
    },
    sourceRan({ wave: number, source, refused: _, ...run }) {
      const wave = waves[number]!
      wave.sources.push({ source: sources[source]!.id, ...run })
      wave.endHour = Math.max(wave.endHour, run.endHour ?? 0)
    },
    caughtUp: (source, hour, since) => freshness[source]!.push({ hour, since }),
  })
  const samples = sources.map(({ id }, i) => {
    const changes = freshness[i]!
    let index = 0
    const sample = (_: unknown, n: number) => {
      const hour = n / SAMPLES_PER_HOUR
      while (index + 1 < changes.length && changes[index + 1]!.hour <= hour) index++
      return [hour, Math.max(0, hour - changes[index]!.since)] as const
    }
    return [id, Array.from({ length: hours * SAMPLES_PER_HOUR }, sample)] as const
  })
  const judged = waves.map((wave) => ({ ...wave, outcome: waveOutcome(wave.sources) }))
  return createRecord(rules.policy, judged, new Map(samples))
}
