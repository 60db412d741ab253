import type { Mood } from '@tidemark/test-engines/git-server'
import { seededRandom } from '@tidemark/test-engines/seeded-random'

/** What happens in a wave: made of the seed and the wave's number alone, so that a seed replays it. */
export interface WavePlan {
  readonly wave: number
  readonly database: 'left alone' | 'connections cut' | 'restarted'
  /** When, after the beginning of the wave. */
  readonly databaseAfterMs: readonly number[]
  /** One for each source. */
  readonly sources: readonly SourcePlan[]
}

export interface SourcePlan {
  /** What its server does in the first act, if it has a server, from which request on. */
  readonly mood: Mood
  readonly moodAfterRequests: number
  /** One after the other. */
  readonly acts: readonly Act[]
}

export interface Move {
  readonly kind: 'stay' | 'forwards' | 'backwards' | 'rewritten'
  readonly commits: number
}

/** One run of the source and what is done to it. */
export interface Act {
  /** What the ref does before. */
  readonly move: Move
  readonly fault: 'SIGKILL' | 'SIGTERM' | 'paused' | 'none'
  readonly moment: Moment
  /** Whether a second run of the source starts at the same time. */
  readonly overlapped: boolean
  /** How wrong the clock of its process is, as libfaketime has it. */
  readonly clock: '+3h' | '-3h' | null
}

/** When a fault is thrown: so long after the process was seen there. */
export interface Moment {
  readonly after: 'start' | 'awake' | 'lease' | 'stored' | 'stored twice'
  readonly delayMs: number
}

/** Kinds take turns, so that a few waves have all of them; chance says where and when. */
const DATABASE = ['left alone', 'connections cut', 'restarted', 'left alone', 'connections cut', 'left alone'] as const
const MOODS = ['serve', 'slow', 'hang', 'drop', 'fail'] as const

/** About as long as a run takes from there to its end, or to the next of them. */
const UP_TO_MS = { start: 500, awake: 400, lease: 200, stored: 60, 'stored twice': 60 }

export function planWave(seed: number, wave: number, sources: number): WavePlan {
  const random = seededRandom(seed * 100_003 + wave)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const momentAmong = (after: readonly Moment['after'][]): Moment => {
    const chosen = pick(after)
    return { after: chosen, delayMs: Math.floor(random() * UP_TO_MS[chosen]) }
  }
  const move = (): Move => {
    const share = random()
    const kind = share < 0.25 ? 'stay' : share < 0.7 ? 'forwards' : share < 0.9 ? 'backwards' : 'rewritten'
    return { kind, commits: 1 + Math.floor(random() * 3) }
  }
  const act = (fault: Act['fault']): Act => ({
    move: move(),
    fault,
    moment:
      fault === 'paused'
        ? momentAmong(['awake', 'lease', 'lease', 'lease', 'stored', 'stored', 'stored twice'])
        : momentAmong(['start', 'awake', 'lease', 'lease', 'stored', 'stored', 'stored twice']),
    overlapped: random() < 0.08,
    clock: random() < 0.15 ? pick(['+3h', '-3h'] as const) : null,
  })
  // Of a paused run the heir finishes the source, which the killed ones before it have left as a mixture.
  const acts = (): readonly Act[] => [
    ...Array.from({ length: 1 + Math.floor(random() * 2.5) }, () => act(random() < 0.92 ? 'SIGKILL' : 'SIGTERM')),
    ...(random() < 0.8 ? [act('paused')] : []),
    ...(random() < 0.05 ? [act('none')] : []),
  ]
  const database = DATABASE[wave % DATABASE.length]!
  return {
    wave,
    database,
    databaseAfterMs: Array.from({ length: database === 'connections cut' ? 4 : 1 }, () =>
      Math.floor(300 + random() * 4_000),
    ),
    sources: Array.from({ length: sources }, (_, i) => ({
      mood: MOODS[(wave + i) % MOODS.length]!,
      moodAfterRequests: Math.floor(random() * 4),
      acts: acts(),
    })),
  }
}
