import { sum } from '../harness/statistics.ts'
import type { SourceSnapshot } from './observe.ts'

/** What came of one source in a wave, in hours of the scaled clock. */
export interface SourceRun {
  readonly source: string
  /**
   * By its pages:
   * - `finished`: it holds what its ref had when the wave began, and its bookmark says so.
   * - `progressed`: nearer to that.
   * - `locked`: the lock of an earlier run, which is dead, refused it.
   * - `stuck`: no page is nearer, or it was not reached.
   */
  readonly outcome: 'finished' | 'progressed' | 'locked' | 'stuck'
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

export interface Period {
  readonly startHour: number
  readonly endHour: number
}

/** One start of the cron. */
export interface Wave extends Period {
  /** Whether a process of it was killed. */
  readonly killed: boolean
  /** Of its worst source; `progressed` says that every source that was behind came nearer. */
  readonly outcome: 'finished' | 'progressed' | 'stuck'
  readonly sources: readonly SourceRun[]
}

/** What was seen in a policy's database while it ran. */
export interface PolicySamples {
  /** How far each source was behind its ref at the worst, in hours. */
  readonly staleness: ReadonlyMap<string, number>
  /** When texts waited for their embedding. */
  readonly unembedded: readonly Period[]
}

/** What is in a policy's database in the end. */
export interface PolicyEnd extends Pick<SourceSnapshot, 'stored' | 'storedAgain' | 'bytes'> {
  /** Texts that the service embedded, and those that wait for it. */
  readonly embedded: number
  readonly unembedded: number
  /** Pages whose path, blob or text is not what it is to be. */
  readonly wrongPages: number
}

export type PolicyRecord = ReturnType<typeof createRecord>

/** What a policy did in the reproduction. */
export function createRecord(
  policy: string,
  waves: readonly Wave[],
  { staleness, unembedded }: PolicySamples,
  end: PolicyEnd,
) {
  const runs = waves.flatMap(({ sources }) => sources)
  const shareOf = (holds: (wave: Wave) => boolean) => waves.filter(holds).length / waves.length
  const rowsOf = (holds: (run: SourceRun) => boolean) =>
    [...staleness.keys()].flatMap((id) => rowLengths(runs.filter(({ source }) => source === id).map(holds)))
  return {
    policy,
    waves,
    unembeddedPeriods: unembedded,
    /** The longest time without a moment in which everything was embedded. */
    unembeddedHours: Math.max(0, ...unembedded.map(({ startHour, endHour }) => endHour - startHour)),
    /** How far each source was behind its ref at the worst. */
    staleness: [...staleness].map(([source, worstHours]) => ({ source, worstHours })),
    // Shares of the waves, from 0 to 1: the account's measure, and ours.
    notKilled: shareOf(({ killed }) => !killed),
    progressed: shareOf(({ outcome }) => outcome !== 'stuck'),
    finished: shareOf(({ outcome }) => outcome === 'finished'),
    /** Runs of a source that a budget or a kill has ended, and the most in a row of one source that did not finish. */
    stopped: runs.filter(({ stopped }) => stopped).length,
    unfinishedInARow: Math.max(0, ...rowsOf(({ outcome }) => outcome !== 'finished')),
    /** Locks of dead runs that refused a source until they expired: each is one that a person would break by hand. */
    interventions: rowsOf(({ outcome }) => outcome === 'locked').length,
    /** Files read, and how many of those reads were of something that was stored already. */
    read: sum(runs.map(({ read }) => read)),
    readAgain: sum(runs.map(({ read, stored }) => Math.max(0, read - stored))),
    ...end,
    wrongPages: end.wrongPages + sum(runs.map(({ wrongPages }) => wrongPages)),
  }
}

/** The staleness of the worst source. */
export const worstHours = ({ staleness }: PolicyRecord) => Math.max(0, ...staleness.map((source) => source.worstHours))

/** How long each unbroken row of yes is. */
const rowLengths = (answers: readonly boolean[]) => {
  const rows = answers.map((yes) => (yes ? 'y' : ' ')).join('')
  return (rows.match(/y+/g) ?? []).map((row) => row.length)
}
