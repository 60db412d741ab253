import { seededRandom } from '@tidemark/test-engines/seeded-random'
import type { SourceShape } from '../harness/generate-source.ts'

/** A source as the account of the cascade describes it, at a size that a small machine can hold. */
export interface Shape extends SourceShape {
  /** Files that change in an hour, on average over a day. */
  readonly changesPerHour: number
}

/**
 * The four sources of the published account: 50, 200 and 500 changed files an hour, and one of long pages. How long the
 * pages are is ours: each source takes the old policy about the 5 minutes of an average hour that the account gives for
 * the first.
 */
export const SHAPES: readonly Shape[] = [
  { id: 'default', corpus: 'book', pages: 1_000, sections: 2, changesPerHour: 50 },
  { id: 'straylight', corpus: 'vite', pages: 3_000, sections: 5, changesPerHour: 200 },
  { id: 'zion', corpus: 'tldr', pages: 6_000, sections: 2, changesPerHour: 500 },
  { id: 'media', corpus: 'rfcs', pages: 400, sections: 7, changesPerHour: 25 },
]

/** So many files of a source change at once, at an hour since the beginning (a fraction is within the hour). */
export interface Arrival {
  readonly source: string
  readonly hour: number
  readonly files: number
}

const COMMITS_PER_HOUR = 3

/**
 * People sleep: of a day's changes most come by day. The factor goes as a sine from 0.5 at 3 in the morning to 1.5 at 3
 * in the afternoon, and its mean is 1. Hour 0 is 9 in the morning.
 */
const activity = (hour: number) => 1 - 0.5 * Math.cos(((hour + 6) / 24) * 2 * Math.PI)

/** When what arrives in which source, `load` times what the shapes say; the same for the same seed. */
export function createSchedule(shapes: readonly Shape[], hours: number, load: number, seed: number) {
  const random = seededRandom(seed)
  const arrivals: Arrival[] = []
  for (const { id, changesPerHour } of shapes) {
    for (let n = 0; n < hours * COMMITS_PER_HOUR; n++) {
      const hour = (n + random()) / COMMITS_PER_HOUR
      const files = Math.round(((load * changesPerHour * activity(hour)) / COMMITS_PER_HOUR) * (0.5 + random()))
      if (files > 0) arrivals.push({ source: id, hour, files })
    }
  }
  return arrivals.sort((a, b) => a.hour - b.hour)
}

/** The times that a cron sets, in real milliseconds where nothing else is said. */
export type Limits = ReturnType<typeof scaleLimits>

/**
 * Starting a process takes as long here as where an hour is an hour, and would be minutes of a scaled one. Every hard
 * limit of every policy is longer by this.
 */
const START_MS = 1_000

/** 540 seconds of the account's are so many here, in whole seconds because `--timeout` takes no others. */
export function scaleLimits(budgetSeconds: number) {
  const second = (budgetSeconds * 1_000) / 540
  return {
    /** What a second of the account's is here. */
    second,
    hourMs: 3_600 * second,
    /** A wave in one process is killed after it: 1,803 seconds. */
    waveMs: 1_803 * second + START_MS,
    /** `--timeout 540`. */
    budgetSeconds,
    /** `timeout 600` around it. */
    hardMs: Math.round(600 * second + START_MS),
    /** What each source may take where they run side by side: the half hour that the old policy has for all of them. */
    halfHourSeconds: Math.round((1_800 * second) / 1_000),
  }
}
