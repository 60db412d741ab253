import { setTimeout as sleep } from 'node:timers/promises'
import type { GeneratedSource } from '../harness/generate-source.ts'
import { moveMain } from '../harness/git.ts'
import type { Arrival } from './schedule.ts'
import { readHistory } from './source-history.ts'

/** A clock on which an hour is some seconds. */
export type ScaledClock = ReturnType<typeof startClock>

export function startClock(hourMs: number) {
  const startedMs = performance.now()
  const toHour = (ms: number) => (ms - startedMs) / hourMs
  const now = () => toHour(performance.now())
  return {
    hourMs,
    /** Hours since the beginning. */
    now,
    /** The hour of a moment of `performance.now()`. */
    toHour,
    /** Waits until that hour. @throws the signal's reason. */
    until: (hour: number, signal: AbortSignal) => sleep(Math.max(0, (hour - now()) * hourMs), undefined, { signal }),
  }
}

/** Where the refs of the sources are, when they came there, and what is at each of their commits. */
export type Refs = Awaited<ReturnType<typeof trackRefs>>

export async function trackRefs(sources: readonly GeneratedSource[], schedule: readonly Arrival[]) {
  const byId = new Map(sources.map((source) => [source.id, source]))
  const histories = new Map(await Promise.all(sources.map(async (each) => [each.id, await readHistory(each)] as const)))
  const arrivedAt = new Map(sources.map(({ id }) => [id, [0]]))
  return {
    ids: [...byId.keys()],
    history: (source: string) => histories.get(source)!,
    /** How many commits have arrived in a source; 0 while it is at its first. */
    countArrived: (source: string) => arrivedAt.get(source)!.length - 1,
    /** Hours since the first commit arrived that is newer than the one given; 0 where there is none. */
    hoursBehind(source: string, commit: string | null, now: number): number {
      const since = arrivedAt.get(source)![histories.get(source)!.indexOf(commit) + 1]
      return since === undefined ? 0 : now - since
    },
    /** Moves the refs as the schedule has it, until it is at its end or the signal comes. */
    async follow(clock: ScaledClock, signal: AbortSignal): Promise<void> {
      for (const { source, hour } of schedule) {
        await clock.until(hour, signal)
        const { folder, commits } = byId.get(source)!
        const arrived = arrivedAt.get(source)!
        await moveMain(folder, commits[arrived.length]!)
        arrived.push(clock.now())
      }
    },
  }
}
