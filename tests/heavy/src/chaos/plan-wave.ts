import type { Mood } from '@tidemark/test-engines/git-server'
import { seededRandom } from '@tidemark/test-engines/seeded-random'

/** Leases that are over soon, so that what happens after them happens often. */
export const SHORT_LEASE = { ttlMs: 1_500, heartbeatMs: 300, marginMs: 300 }

/** Of a server of git. */
export type ServerFault = Exclude<Mood, 'serve'>

/** What happens in a wave: made of the seed and the wave's number alone, so that a seed replays it. */
export interface WavePlan {
  readonly wave: number
  readonly database: 'left alone' | 'connections cut' | 'restarted'
  /** When, after the beginning of the storm. */
  readonly databaseAfterMs: readonly number[]
  /** One for each source. */
  readonly sources: readonly SourcePlan[]
}

export interface SourcePlan {
  /** Runs one after the other, each stopped at a chosen statement; nothing else happens meanwhile. */
  readonly moments: readonly FaultedRun[]
  /** Then the storm: runs one after the other, at moments of chance. */
  readonly storm: readonly FaultedRun[]
  /** What its server does in the first run of the storm, if it has a server, from which request on. */
  readonly serverFault: ServerFault | null
  readonly serverFaultAfterRequests: number
}

export interface RefMove {
  readonly kind: 'stay' | 'forwards' | 'backwards' | 'rewritten' | 'undone'
  readonly commits: number
}

/** One run of the source and what is done to it. */
export interface FaultedRun {
  /** What the ref does before. */
  readonly move: RefMove
  /**
   * Of those that are no signals: `paused` until another has taken over; `hung`: what it sends arrives when another has
   * taken over; `slow`: the statement arrives when the lease would have expired; `timeout`: not before its budget ends.
   */
  readonly fault: 'SIGKILL' | 'SIGTERM' | 'paused' | 'hung' | 'slow' | 'timeout' | 'none'
  readonly trigger: TriggerPoint
  /** Whether a concurrent run of the source starts at the same time. */
  readonly overlapped: boolean
  /** How wrong the clock of its process is, as libfaketime has it. */
  readonly clock: '+3h' | '-3h' | null
}

/** When a fault is injected: so long after the process has come there, or while that statement of it is held. */
export interface TriggerPoint {
  readonly after: 'start' | 'awake' | 'lease' | 'stored' | 'stored twice' | 'batch' | 'finish'
  readonly delayMs: number
}

const planMoment = (
  fault: FaultedRun['fault'],
  after: TriggerPoint['after'] = 'start',
  kind: RefMove['kind'] = 'forwards',
): FaultedRun => ({
  ...{ move: { kind, commits: 1 }, fault, trigger: { after, delayMs: 0 }, overlapped: false, clock: null },
})

/**
 * What the fence, the deadline, the heartbeat and the mark of an unfinished source are for, and chance would rarely
 * find. Each begins with a run that is left alone; sources take turns with them, so that each wave has all.
 */
const MOMENTS = [
  [planMoment('hung', 'batch'), planMoment('timeout', 'batch')],
  [planMoment('hung', 'finish')],
  [planMoment('slow', 'batch'), planMoment('SIGTERM', 'batch')],
  // All its pages are in when it is killed, and the ref is where the bookmark is again.
  [planMoment('SIGKILL', 'finish'), planMoment('none', 'start', 'undone')],
].map((runs) => [planMoment('none', 'start', 'stay'), ...runs])

/** Kinds take turns, so that a few waves have all of them; chance says where and when. */
const DATABASE = ['left alone', 'connections cut', 'restarted', 'left alone', 'connections cut', 'left alone'] as const
const SERVER_FAULTS = [null, 'slow', 'hang', 'drop', 'fail'] as const

/** About as long as a run takes from there to its end, or to the next of them. */
const MAX_DELAY_MS = { start: 500, awake: 400, lease: 200, stored: 60, 'stored twice': 60 }
const WHILE_LEASED = ['lease', 'lease', 'stored', 'stored', 'stored twice'] as const

export function planWave(seed: number, wave: number, sources: number): WavePlan {
  const random = seededRandom(seed * 100_003 + wave)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const planTrigger = (points: readonly (keyof typeof MAX_DELAY_MS)[]): TriggerPoint => {
    const after = pick(points)
    return { after, delayMs: Math.floor(random() * MAX_DELAY_MS[after]) }
  }
  const planMove = (): RefMove => {
    const share = random()
    const kind = share < 0.25 ? 'stay' : share < 0.7 ? 'forwards' : share < 0.9 ? 'backwards' : 'rewritten'
    return { kind, commits: 1 + Math.floor(random() * 3) }
  }
  const planRun = (fault: FaultedRun['fault']): FaultedRun => ({
    move: planMove(),
    fault,
    trigger: planTrigger([fault === 'paused' ? 'lease' : 'start', 'awake', ...WHILE_LEASED]),
    overlapped: random() < 0.08,
    clock: random() < 0.15 ? pick(['+3h', '-3h'] as const) : null,
  })
  // Of a paused run the successor finishes the source, which the killed ones before it have left as a mixture.
  const planStorm = (): readonly FaultedRun[] => [
    ...Array.from({ length: 1 + Math.floor(random() * 2.5) }, () => planRun(random() < 0.92 ? 'SIGKILL' : 'SIGTERM')),
    ...(random() < 0.8 ? [planRun('paused')] : []),
    ...(random() < 0.05 ? [planRun('none')] : []),
  ]
  const database = DATABASE[wave % DATABASE.length]!
  const cuts = database === 'connections cut' ? 4 : 1
  return {
    wave,
    database,
    databaseAfterMs: Array.from({ length: cuts }, () => Math.floor(300 + random() * 4_000)).sort((a, b) => a - b),
    sources: Array.from({ length: sources }, (_, i) => ({
      moments: MOMENTS[(wave + i) % MOMENTS.length]!,
      storm: planStorm(),
      serverFault: SERVER_FAULTS[(wave + i) % SERVER_FAULTS.length]!,
      serverFaultAfterRequests: Math.floor(random() * 4),
    })),
  }
}
