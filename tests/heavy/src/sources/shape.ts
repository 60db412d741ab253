import type { Corpus } from './words.ts'

/** A source as the report of the cascade describes it, at a size that a small machine can hold. */
export interface Shape {
  readonly id: string
  readonly corpus: Corpus
  /** Pages before the first wave. */
  readonly pages: number
  /** Sections to a page; each becomes at least one chunk. */
  readonly sections: number
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
