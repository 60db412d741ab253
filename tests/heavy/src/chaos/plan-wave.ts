import type { Mood } from '@tidemark/test-engines/git-server'
import { seededRandom } from '@tidemark/test-engines/seeded-random'

/** Leases that are over soon, so that what happens after them happens often. */
export const SHORT_LEASE = { ttlMs: 1_500, heartbeatMs: 300, marginMs: 300 }

/** One run of a source and what is done to it. */
export interface FaultedRun {
  /** What the ref does before. */
  readonly move: 'stay' | 'forwards' | 'backwards' | 'rewritten' | 'undone'
  readonly commits: number
  /**
   * Signals; `paused` until another has taken over; `hung`: what it has sent arrives when another has taken over;
   * `slow`: a statement arrives when the lease would have expired; `timeout`: it arrives when the budget is over.
   */
  readonly fault: 'SIGKILL' | 'SIGTERM' | 'paused' | 'hung' | 'slow' | 'timeout' | 'none'
  /** When: so long after it has come there, or while that statement of it is on its way. */
  readonly after: 'start' | 'awake' | 'lease' | 'stored' | 'stored twice' | 'batch' | 'finish'
  readonly delayMs: number
  /** Whether a concurrent run of the source starts at the same time. */
  readonly overlapped: boolean
  /** How wrong the clock of its process is, as libfaketime has it. */
  readonly clock: '+3h' | '-3h' | null
  /** What the source's server of git does, if it has one, and after how many requests. */
  readonly serverFault: { readonly mood: Mood; readonly requestsBefore: number } | null
}

const planMoment = (
  fault: FaultedRun['fault'],
  after: FaultedRun['after'] = 'start',
  move: FaultedRun['move'] = 'forwards',
): FaultedRun => ({ move, commits: 1, fault, after, delayMs: 0, overlapped: false, clock: null, serverFault: null })

export const LEFT_ALONE = planMoment('none', 'start', 'stay')

/**
 * What the fence, the deadline, the heartbeat and the mark of an unfinished source are for, and chance would rarely
 * find. Sources take turns with them, so that each wave has all.
 */
const MOMENTS = [
  [LEFT_ALONE, planMoment('hung', 'batch')],
  [LEFT_ALONE, planMoment('hung', 'finish'), planMoment('timeout', 'batch')],
  [LEFT_ALONE, planMoment('slow', 'batch'), planMoment('SIGTERM', 'batch')],
  // All its pages are in when it is killed, and the ref goes back to the bookmark.
  [LEFT_ALONE, planMoment('SIGKILL', 'finish'), planMoment('none', 'start', 'undone')],
]

/** Kinds take turns, so that a few waves have all of them; chance says where and when. */
const DATABASE = ['left alone', 'connections cut', 'restarted', 'left alone', 'connections cut', 'left alone'] as const
const SERVER_FAULTS = [null, 'slow', 'hang', 'drop', 'fail'] as const

/** About as long as a run takes from there to its end, or to the next of them. */
const MAX_DELAY_MS = { start: 500, awake: 400, lease: 200, stored: 60, 'stored twice': 60 }
const WHILE_LEASED = ['lease', 'lease', 'stored', 'stored', 'stored twice'] as const

export type WavePlan = ReturnType<typeof planWave>

/** What happens in a wave: made of the seed and the wave's number alone, so that a seed replays it. */
export function planWave(seed: number, wave: number, sources: number) {
  const random = seededRandom(seed * 100_003 + wave)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const planRun = (fault: FaultedRun['fault'], mood: Mood | null = null): FaultedRun => {
    const share = random()
    const after = pick([fault === 'paused' ? 'lease' : 'start', 'awake', ...WHILE_LEASED] as const)
    return {
      move: share < 0.25 ? 'stay' : share < 0.7 ? 'forwards' : share < 0.9 ? 'backwards' : 'rewritten',
      commits: 1 + Math.floor(random() * 3),
      fault,
      after,
      delayMs: Math.floor(random() * MAX_DELAY_MS[after]),
      overlapped: random() < 0.08,
      clock: random() < 0.15 ? pick(['+3h', '-3h'] as const) : null,
      serverFault: mood && { mood, requestsBefore: Math.floor(random() * 4) },
    }
  }
  // Of a paused run the successor finishes the source, which the killed ones before it have left as a mixture.
  const planStorm = (mood: Mood | null) => [
    planRun('SIGKILL', mood),
    ...Array.from({ length: pick([1, 2]) }, () => planRun(random() < 0.9 ? 'SIGKILL' : 'SIGTERM')),
    ...(random() < 0.9 ? [planRun('paused')] : []),
    ...(random() < 0.05 ? [planRun('none')] : []),
  ]
  const database = DATABASE[wave % DATABASE.length]!
  const cuts = { 'left alone': 0, 'connections cut': 4, restarted: 1 }[database]
  return {
    wave,
    database,
    /** When, after the beginning of the storm. */
    databaseAfterMs: Array.from({ length: cuts }, () => Math.floor(300 + random() * 4_000)).sort((a, b) => a - b),
    sources: Array.from({ length: sources }, (_, i) => ({
      /** Runs one after the other, with nothing else. */
      moments: MOMENTS[(wave + i) % MOMENTS.length]!,
      /** Then runs one after the other at moments of chance, while the database and the server have their faults. */
      storm: planStorm(SERVER_FAULTS[(wave + i) % SERVER_FAULTS.length]!),
    })),
  }
}
