import type { Arrival, Shape } from '../reproduction/schedule.ts'

/** A source in the model, and what changes in it when. */
export interface ModelSource extends Pick<Shape, 'id' | 'pages' | 'sections' | 'isNew'> {
  /** Hours at which commits arrive, in order, and how many files each of them touches. */
  readonly arrivals: { readonly hours: readonly number[]; readonly files: readonly number[] }
}

/** How far a policy has come with a source. */
export interface Progress {
  /** Whether it has never had a bookmark. */
  isNew: boolean
  /** How many of the arrivals are counted in, and how many the bookmark has. */
  arrived: number
  bookmark: number
  /** Pages that differ between the bookmark and the ref, and those of them that are not stored yet. */
  changed: number
  unstored: number
  /** What a run has left on the source: alive until it ends, dead and in the way until it expires. */
  lock: { aliveUntil: number; inTheWayUntil: number; lastSeen: number }
  /** When a run has begun to check it. */
  checkedAt: number
  /** Waits for a runner. */
  waiting: boolean
}

/** Of a hundred touched files, so many are new ones (generate-source.ts); any other may have changed before. */
const NEW_SHARE = 0.08

export function createModelSources(shapes: readonly Shape[], schedule: readonly Arrival[]): ModelSource[] {
  const arrivals = new Map(shapes.map(({ id }) => [id, { hours: [] as number[], files: [] as number[] }]))
  for (const { source, hour, files } of schedule) {
    arrivals.get(source)?.hours.push(hour)
    arrivals.get(source)?.files.push(files)
  }
  return shapes.map((shape) => ({ ...shape, arrivals: arrivals.get(shape.id)! }))
}

export function startProgress({ pages, isNew }: ModelSource): Progress {
  const changed = isNew ? pages : 0
  const lock = { aliveUntil: 0, inTheWayUntil: 0, lastSeen: 0 }
  return { isNew, arrived: 0, bookmark: 0, changed, unstored: changed, lock, checkedAt: 0, waiting: false }
}

/** When the first change came, or will come, that the bookmark does not have. */
export function behindSince({ arrivals }: ModelSource, { isNew, bookmark }: Progress): number {
  return isNew ? 0 : (arrivals.hours[bookmark] ?? Number.POSITIVE_INFINITY)
}

/** Counts in what has arrived until that hour. */
export function advance({ pages, arrivals }: ModelSource, progress: Progress, hour: number): void {
  const grow = (from: number, files: number) =>
    Math.min(pages, from + files * (NEW_SHARE + (1 - NEW_SHARE) * Math.max(0, 1 - from / pages)))
  while (progress.arrived < arrivals.hours.length && arrivals.hours[progress.arrived]! <= hour) {
    const files = arrivals.files[progress.arrived++]!
    progress.changed = grow(progress.changed, files)
    progress.unstored = grow(progress.unstored, files)
  }
}
