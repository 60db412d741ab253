import type { Ground } from './ground.ts'

/** A promise that a part has looked at, as a sentence, and whether it was kept. */
export interface Check {
  readonly promise: string
  readonly kept: boolean
  /** The figure that it was judged by. */
  readonly seen: string
}

/** What a part of the heavy run leaves: figures for the report, and what they say about our promises. */
export interface Part<Figures> {
  readonly figures: Figures
  readonly checks: readonly Check[]
}

/** What a part is given beside its own settings. */
export interface Stage {
  readonly ground: Ground
  readonly seed: number
  /** Shows a line of progress. */
  tell(line: string): void
}
