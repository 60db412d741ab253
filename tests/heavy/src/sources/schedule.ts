import { seededRandom } from '@tidemark/test-engines/seeded-random'
import type { Shape } from './shape.ts'

/** So many files of a source change at once, at an hour since the beginning (a fraction is within the hour). */
export interface Arrival {
  readonly source: string
  readonly hour: number
  readonly files: number
}

/** How many commits a source gets in an hour. */
const COMMITS_PER_HOUR = 3

/**
 * People sleep: of a day's changes most come by day. The factor goes as a sine from 0.2 at 3 in the morning to 1.8 at 3
 * in the afternoon, and its mean is 1. Hour 0 is 9 in the morning.
 */
const activity = (hour: number) => 1 - 0.8 * Math.cos(((hour + 6) / 24) * 2 * Math.PI)

/** When what arrives in which source; the same for the same seed, for the reproducer and the simulation alike. */
export function scheduleOf(shapes: readonly Shape[], hours: number, seed: number): readonly Arrival[] {
  const random = seededRandom(seed)
  const arrivals: Arrival[] = []
  for (const { id, changesPerHour } of shapes) {
    for (let hour = 0; hour < hours; hour++) {
      for (let part = 0; part < COMMITS_PER_HOUR; part++) {
        const at = hour + (part + random()) / COMMITS_PER_HOUR
        const mean = (changesPerHour * activity(at)) / COMMITS_PER_HOUR
        const files = Math.round(mean * (0.5 + random()))
        if (files > 0) arrivals.push({ source: id, hour: at, files })
      }
    }
  }
  return arrivals.sort((a, b) => a.hour - b.hour)
}
