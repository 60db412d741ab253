import { percentile, sum } from '../harness/statistics.ts'
import type { SourceSnapshot } from './observe.ts'

/** What came of one source in a wave, in hours of the scaled clock. */
export interface SourceRun {
  readonly source: string
  /**
   * By its pages:
   * - `finished`: it holds what its ref had when the wave began, and its bookmark says so.
   * - `progressed`: nearer to that.
   * - `running`: another run that is alive has it.
   * - `stale_lock`: a lock that a dead run has left refused it.
   * - `stuck`: no page is nearer, or it was not reached.
   */
  readonly outcome: 'finished' | 'progressed' | 'running' | 'stale_lock' | 'stuck'
  /** Null where the wave did not reach it. */
  readonly startHour: number | null
  readonly endHour: number | null
  /** Whether a budget or a kill ended it. */
  readonly stopped: boolean
  /** Files that were read, and versions of pages that were stored for the first time. */
  readonly read: number
  readonly stored: number
  /** Pages that are not of the bookmark's commit nor of one that arrived since. */
  readonly wrongPages: number
}

/** One start of the cron. */
export interface Wave {
  readonly startHour: number
  readonly endHour: number
  /** Whether a process of it was killed. */
  readonly killed: boolean
  /** Of its worst source; `progressed` says that every source that was behind came nearer or is running. */
  readonly outcome: 'finished' | 'progressed' | 'stuck'
  readonly sources: readonly SourceRun[]
}

/** `[hour, hours behind]`, at even distances. */
export type StalenessSample = readonly [hour: number, hoursBehind: number]

/** What is in a policy's database in the end. */
export interface PolicyEnd extends Pick<SourceSnapshot, 'stored' | 'storedAgain' | 'bytes'> {
  /** Texts that the service embedded, and those that wait for it. */
  readonly embedded: number
  readonly unembedded: number
  /** Pages whose path, blob or text is not what it is to be. */
  readonly wrongPages: number
}

/** What a policy did in the reproduction. */
export interface PolicyRecord extends PolicyEnd {
  readonly policy: string
  readonly waves: readonly Wave[]
  /** How far each source was behind its ref, in hours of the scaled clock. */
  readonly staleness: readonly {
    readonly source: string
    readonly worstHours: number
    readonly p95Hours: number
    readonly samples: readonly StalenessSample[]
  }[]
  /** Shares of the waves, from 0 to 1: the account's measure, and ours. */
  readonly notKilled: number
  readonly progressed: number
  readonly finished: number
  /** Runs of a source that a budget or a kill has ended, and the most in a row of one source that did not finish. */
  readonly stopped: number
  readonly unfinishedInARow: number
  /** Files read, and how many of those reads were of something that was stored already. */
  readonly read: number
  readonly readAgain: number
  /** Locks of dead runs that refused a source until they expired: each is one that a person would break by hand. */
  readonly interventions: number
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
  end: PolicyEnd,
): PolicyRecord {
  const runs = waves.flatMap(({ sources }) => sources)
  const share = (holds: (wave: Wave) => boolean) => (waves.length === 0 ? 0 : waves.filter(holds).length / waves.length)
  const bySource = [...samples.keys()].map((id) => runs.filter(({ source }) => source === id))
  const inARow = (holds: (run: SourceRun) => boolean) => bySource.map((own) => streaks(own.map(holds)))
  return {
    policy,
    waves,
    staleness: [...samples].map(([source, samples]) => {
      const hours = samples.map(([, behind]) => behind)
      return { source, samples, worstHours: Math.max(0, ...hours), p95Hours: percentile(hours, 0.95) || 0 }
    }),
    notKilled: share(({ killed }) => !killed),
    progressed: share(({ outcome }) => outcome !== 'stuck'),
    finished: share(({ outcome }) => outcome === 'finished'),
    stopped: runs.filter(({ stopped }) => stopped).length,
    unfinishedInARow: Math.max(0, ...inARow(({ outcome }) => outcome !== 'finished').flat()),
    read: sum(runs.map(({ read }) => read)),
    readAgain: sum(runs.map(({ read, stored }) => Math.max(0, read - stored))),
    interventions: inARow(({ outcome }) => outcome === 'stale_lock').flat().length,
    ...end,
    wrongPages: end.wrongPages + sum(runs.map(({ wrongPages }) => wrongPages)),
  }
}

/** The staleness of the worst source. */
export const worstHours = ({ staleness }: PolicyRecord) => Math.max(0, ...staleness.map((source) => source.worstHours))

/** How long each unbroken row of yes is. */
const streaks = (answers: readonly boolean[]) =>
  answers
    .map((yes) => (yes ? 'x' : ' '))
    .join('')
    .split(' ')
    .filter((row) => row !== '')
    .map((row) => row.length)
