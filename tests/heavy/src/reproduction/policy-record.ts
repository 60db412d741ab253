import { percentile, sum } from '../harness/statistics.ts'

/** What came of one source in a wave, in hours of the scaled clock. */
export interface SourceRun {
  readonly source: string
  /**
   * - `finished`: it holds what its ref had when the wave began.
   * - `progressed`: nearer to that, and no later run does it again.
   * - `running`: another run that is alive has it.
   * - `stale_lock`: a lock that a dead run has left refused it.
   * - `stuck`: nothing of it will stay, or it was not reached.
   */
  readonly outcome: 'finished' | 'progressed' | 'running' | 'stale_lock' | 'stuck'
  /** Null where the wave did not reach it. */
  readonly startHour: number | null
  readonly endHour: number | null
  /** Files that were read, and versions of pages that were stored for the first time. */
  readonly read: number
  readonly stored: number
}

/** One start of the cron. */
export interface Wave {
  readonly startHour: number
  readonly endHour: number
  /** Whether its limit has ended it with SIGKILL. */
  readonly killed: boolean
  /** Of its worst source; `progressed` says that every source that was behind came nearer or is running. */
  readonly outcome: 'finished' | 'progressed' | 'stuck'
  readonly sources: readonly SourceRun[]
}

/** `[hour, hours behind]`, at even distances. */
export type StalenessSample = readonly [hour: number, hoursBehind: number]

/** What a policy did in the reproduction. */
export interface PolicyRecord {
  readonly policy: string
  readonly waves: readonly Wave[]
  /** How far each source was behind its ref, in hours of the scaled clock. */
  readonly staleness: readonly {
    readonly source: string
    readonly worstHours: number
    readonly p95Hours: number
    readonly samples: readonly StalenessSample[]
  }[]
  /** Shares of the waves, from 0 to 1. */
  readonly progressed: number
  readonly finished: number
  /** Files read, and how many of those reads were of something that the policy had read before. */
  readonly read: number
  readonly readAgain: number
  /** Locks of dead runs that refused a source until they expired: each is one that a person would break by hand. */
  readonly interventions: number
}

/** What a policy comes to: shares of its waves, and the staleness of its worst source. */
export interface PolicySummary extends Pick<PolicyRecord, 'progressed' | 'finished'> {
  readonly worstHours: number
  readonly p95Hours: number
}

export function waveOutcome(sources: readonly SourceRun[]): Wave['outcome'] {
  const outcomes = new Set(sources.map(({ outcome }) => outcome))
  if (outcomes.has('stuck') || outcomes.has('stale_lock')) return 'stuck'
  return outcomes.has('progressed') || outcomes.has('running') ? 'progressed' : 'finished'
}

export function createRecord(
  policy: string,
  waves: readonly Wave[],
  samples: ReadonlyMap<string, readonly StalenessSample[]>,
): PolicyRecord {
  const runs = waves.flatMap(({ sources }) => sources)
  const share = (count: number) => (waves.length === 0 ? 0 : count / waves.length)
  return {
    policy,
    waves,
    staleness: [...samples].map(([source, samples]) => {
      const hours = samples.map(([, behind]) => behind)
      return { source, samples, worstHours: Math.max(0, ...hours), p95Hours: percentile(hours, 0.95) || 0 }
    }),
    progressed: share(waves.filter(({ outcome }) => outcome !== 'stuck').length),
    finished: share(waves.filter(({ outcome }) => outcome === 'finished').length),
    read: sum(runs.map(({ read }) => read)),
    readAgain: sum(runs.map(({ read, stored }) => Math.max(0, read - stored))),
    interventions: countLockEpisodes(waves),
  }
}

export function summarize({ progressed, finished, staleness }: PolicyRecord): PolicySummary {
  const max = (key: 'worstHours' | 'p95Hours') => Math.max(0, ...staleness.map((source) => source[key]))
  return { progressed, finished, worstHours: max('worstHours'), p95Hours: max('p95Hours') }
}

/** A source that is refused in waves one after the other is one lock. */
function countLockEpisodes(waves: readonly Wave[]): number {
  let count = 0
  let before = new Set<string>()
  for (const { sources } of waves) {
    const locked = new Set(sources.filter(({ outcome }) => outcome === 'stale_lock').map(({ source }) => source))
    count += [...locked].filter((source) => !before.has(source)).length
    before = locked
  }
  return count
}
