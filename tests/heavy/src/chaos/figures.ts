import { canFakeClocks } from './faked-clock.ts'
import type { Thrown } from './throw-wave.ts'
import type { Violation } from './violation.ts'

export interface ChaosFigures extends Thrown {
  readonly seed: number
  waves: number
  /** Processes that were stopped until another had taken their lease over, and woken. */
  pauses: number
  /** Statements that have written pages, or begun or finished a source. */
  writesAudited: number
  leasesAudited: number
  /** Looks at a source after a wave. */
  looks: { finished: number; unfinished: number }
  /** How runs have ended. */
  readonly runs: Record<string, number>
  readonly violations: Violation[]
  readonly clocks: 'faked' | 'skipped: libfaketime is not there'
  elapsedSeconds: number
}

export function blankFigures(seed: number): ChaosFigures {
  return {
    seed,
    waves: 0,
    kills: 0,
    pauses: 0,
    terminations: 0,
    overlaps: 0,
    clockFaults: 0,
    restarts: 0,
    cutConnections: 0,
    gitFaults: { hang: 0, slow: 0, drop: 0, fail: 0 },
    rewrittenHistories: 0,
    writesAudited: 0,
    leasesAudited: 0,
    looks: { finished: 0, unfinished: 0 },
    runs: {},
    violations: [],
    clocks: canFakeClocks ? 'faked' : 'skipped: libfaketime is not there',
    elapsedSeconds: 0,
  }
}
