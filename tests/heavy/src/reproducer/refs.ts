import { execa } from 'execa'
import type { GeneratedSource } from '../sources/generate.ts'
import type { Arrival } from '../sources/schedule.ts'
import type { ScaledClock } from './clock.ts'

/** Where the refs of the sources are, and when they came there. */
export interface Refs {
  /** How many commits have arrived in a source; 0 while it is at its first. */
  at(source: string): number
  /** Which of a source's commits that is: its number, -1 for none. */
  numberOf(source: string, commit: string | null): number
  /** Hours since the first commit arrived that is newer than the one given; 0 where there is none. */
  behindHours(source: string, commit: string | null, now: number): number
  /** Moves the refs as the schedule has it, until it is at its end or the signal comes. */
  follow(clock: ScaledClock, signal: AbortSignal): Promise<void>
}

export function refsOf(sources: readonly GeneratedSource[], schedule: readonly Arrival[]): Refs {
  const numbers = new Map(sources.map(({ id, commits }) => [id, new Map(commits.map((each, i) => [each, i]))]))
  // What was there before the first wave has been there since hour 0, also for a source that is new.
  const arrivedAt = new Map(sources.map(({ id }) => [id, [0]]))
  const numberOf = (source: string, commit: string | null) =>
    commit === null ? -1 : (numbers.get(source)!.get(commit) ?? -1)
  return {
    at: (source) => arrivedAt.get(source)!.length - 1,
    numberOf,
    behindHours(source, commit, now) {
      const since = arrivedAt.get(source)![numberOf(source, commit) + 1]
      return since === undefined ? 0 : now - since
    },
    async follow(clock, signal) {
      const byId = new Map(sources.map((source) => [source.id, source]))
      for (const { source, hour } of schedule) {
        await clock.until(hour, signal)
        const { folder, commits } = byId.get(source)!
        const arrived = arrivedAt.get(source)!
        await execa('git', ['-C', folder, 'update-ref', 'refs/heads/main', commits[arrived.length]!])
        arrived.push(clock.now())
      }
    },
  }
}
