/** What came of one source in a wave, in hours of the scaled clock. */
export interface SourceRun {
  readonly source: string
  /**
   * - `finished`: it holds what its ref had when the wave began.
   * - `progressed`: nearer to that, and no later run does it again.
   * - `in hand`: another run that is alive has it.
   * - `locked`: a lock that a dead run has left refused it.
   * - `stuck`: nothing of it will stay, or it was not reached.
   */
  readonly outcome: 'finished' | 'progressed' | 'in hand' | 'locked' | 'stuck'
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
  readonly cut: boolean
  /** Of its worst source; `progressed` says that every source that was behind came nearer or is in hand. */
  readonly outcome: 'finished' | 'progressed' | 'stuck'
  readonly sources: readonly SourceRun[]
}

/** The wave's own outcome. */
export function outcomeOf(sources: readonly SourceRun[]): Wave['outcome'] {
  const outcomes = new Set(sources.map(({ outcome }) => outcome))
  if (outcomes.has('stuck') || outcomes.has('locked')) return 'stuck'
  return outcomes.has('progressed') || outcomes.has('in hand') ? 'progressed' : 'finished'
}
