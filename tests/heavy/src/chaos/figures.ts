import type { Violation } from './invariants.ts'
import { canFakeClocks } from './start-run.ts'

/** What has been injected and what was observed. */
export type ChaosFigures = ReturnType<typeof createFigures>

/** Of faults only those that have hit count. */
export const createFigures = (seed: number) => ({
  seed,
  waves: 0,
  kills: 0,
  pauses: 0,
  terminations: 0,
  overlaps: 0,
  clockFaults: 0,
  restarts: 0,
  cutConnections: 0,
  /** Requests to git servers that were answered in these ways. */
  gitFaults: { hang: 0, slow: 0, drop: 0, fail: 0 },
  rewrittenHistories: 0,
  /** Statements that have written pages, or begun or finished a source. */
  writesAudited: 0,
  leasesAudited: 0,
  /** Sources that were compared with their repository after a wave. */
  verified: { finished: 0, unfinished: 0 },
  /** How runs have ended. */
  runs: {} as Record<string, number>,
  violations: [] as (Violation & { readonly seed: number; readonly wave: number })[],
  clocks: canFakeClocks ? 'faked' : 'skipped: libfaketime is not there',
  elapsedSeconds: 0,
})
