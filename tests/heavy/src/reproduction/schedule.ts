import { seededRandom } from '@tidemark/test-engines/seeded-random'
import type { SourceShape } from '../harness/generate-source.ts'

/** A source as the account of the cascade describes it, at a size that a small machine can hold. */
export interface Shape extends SourceShape {
  /** Files that change in an hour, on average over a day. */
  readonly changesPerHour: number
  /** Whether it is new at the first wave, so that its first import is part of what is measured. */
  readonly isNew: boolean
}

/**
 * The four sources of the published account: 50, 200 and 500 changed files an hour, and one of long pages (250,000
 * chunks there) that is new.
 */
export const SHAPES: readonly Shape[] = [
  { id: 'default', corpus: 'book', pages: 400, sections: 2, changesPerHour: 50, isNew: false },
  { id: 'straylight', corpus: 'vite', pages: 600, sections: 2, changesPerHour: 200, isNew: false },
  { id: 'zion', corpus: 'tldr', pages: 800, sections: 2, changesPerHour: 500, isNew: false },
  { id: 'media', corpus: 'rfcs', pages: 60, sections: 40, changesPerHour: 4, isNew: true },
]

/** So many files of a source change at once, at an hour since the beginning (a fraction is within the hour). */
export interface Arrival {
  readonly source: string
  readonly hour: number
  readonly files: number
}

const COMMITS_PER_HOUR = 3

/**
 * People sleep: of a day's changes most come by day. The factor goes as a sine from 0.2 at 3 in the morning to 1.8 at 3
 * in the afternoon, and its mean is 1. Hour 0 is 9 in the morning.
 */
const activity = (hour: number) => 1 - 0.8 * Math.cos(((hour + 6) / 24) * 2 * Math.PI)

/** When what arrives in which source; the same for the same seed. */
export function createSchedule(shapes: readonly Shape[], hours: number, seed: number): readonly Arrival[] {
  const random = seededRandom(seed)
  const arrivals: Arrival[] = []
  for (const { id, changesPerHour } of shapes) {
    for (let n = 0; n < hours * COMMITS_PER_HOUR; n++) {
      const hour = (n + random()) / COMMITS_PER_HOUR
      const files = Math.round(((changesPerHour * activity(hour)) / COMMITS_PER_HOUR) * (0.5 + random()))
      if (files > 0) arrivals.push({ source: id, hour, files })
    }
  }
  return arrivals.sort((a, b) => a.hour - b.hour)
}

/** The times that a cron sets, in real milliseconds; scaled where they are hours and minutes of the account. */
export interface Limits {
  readonly hourMs: number
  /** A wave in one process is killed after it: 1,803 seconds. */
  readonly waveMs: number
  /** `--timeout 540`, in whole seconds because the flag takes no others. */
  readonly budgetSeconds: number
  /** `timeout 600` around it. */
  readonly hardMs: number
  /** What the incumbent's lock lasts where nothing refreshes it: it has to outlast the longest run that it protects. */
  readonly legacyTtlMs: number
}

/**
 * Starting a process takes as long here as where an hour is an hour, and would be minutes of a scaled one. Every hard
 * limit of every policy is longer by this.
 */
const START_MS = 1_000

/** 540 seconds of the account's are so many here. */
export function scaleLimits(budgetSeconds: number): Limits {
  const second = (budgetSeconds * 1_000) / 540
  return {
    hourMs: 3_600 * second,
    waveMs: 1_803 * second + START_MS,
    budgetSeconds,
    hardMs: 600 * second + START_MS,
    legacyTtlMs: 5_400 * second,
  }
}
