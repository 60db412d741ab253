import type { SourceRun, Wave } from './wave.ts'

/** How far a source was behind its ref, in hours of the scaled clock. */
export interface Staleness {
  readonly source: string
  readonly worstHours: number
  readonly p95Hours: number
  /** `[hour, hours behind]`, at even distances. */
  readonly samples: readonly (readonly [number, number])[]
}

/** What a policy did in a run of the reproducer, or would do by the simulation. */
export interface PolicyRecord {
  readonly policy: string
  readonly waves: readonly Wave[]
  readonly staleness: readonly Staleness[]
  /** Shares of the waves, from 0 to 1. */
  readonly progressed: number
  readonly finished: number
  /** Files read, and how many of those reads were of something that the policy had read before. */
  readonly read: number
  readonly readAgain: number
  /** Locks of dead runs that refused a source until they expired: each is one that a person would break by hand. */
  readonly interventions: number
}

/** Sums a policy's waves and samples up. */
export function recordOf(
  policy: string,
  waves: readonly Wave[],
  samples: ReadonlyMap<string, readonly (readonly [number, number])[]>,
): PolicyRecord {
  const runs = waves.flatMap(({ sources }) => sources)
  const share = (count: number) => (waves.length === 0 ? 0 : count / waves.length)
  const sum = (of: (run: SourceRun) => number) => runs.reduce((total, run) => total + of(run), 0)
  return {
    policy,
    waves,
    staleness: [...samples].map(([source, each]) => ({ source, samples: each, ...extremes(each) })),
    progressed: share(waves.filter(({ outcome }) => outcome !== 'stuck').length),
    finished: share(waves.filter(({ outcome }) => outcome === 'finished').length),
    read: sum(({ read }) => read),
    readAgain: sum(({ read, stored }) => Math.max(0, read - stored)),
    interventions: episodes(waves),
  }
}

function extremes(samples: readonly (readonly [number, number])[]) {
  const hours = samples.map(([, behind]) => behind).sort((a, b) => a - b)
  return { worstHours: hours.at(-1) ?? 0, p95Hours: hours[Math.floor(hours.length * 0.95)] ?? 0 }
}

/** A source that is locked in waves one after the other is one lock. */
function episodes(waves: readonly Wave[]): number {
  let count = 0
  let before = new Set<string>()
  for (const { sources } of waves) {
    const locked = new Set(sources.filter(({ outcome }) => outcome === 'locked').map(({ source }) => source))
    for (const source of locked) if (!before.has(source)) count++
    before = locked
  }
  return count
}
