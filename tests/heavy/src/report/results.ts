import type { Check, Machine } from '../harness/harness.ts'
import type { Reproduction } from '../reproduction/reproduce.ts'
import type { ScaleSize } from './growth.ts'

/** What a run of all parts, or of some of them, has left. */
export interface Results {
  readonly machine: Machine
  /** `short` or `full`. */
  readonly profile: string
  readonly reproduction?: Reproduction
  readonly scale?: { readonly sizes: readonly ScaleSize[] }
  /** Figures of which nothing but their shape is known here: they are shown as they are. */
  readonly published?: unknown
  readonly chaos?: unknown
  readonly bench?: unknown
  readonly checks: readonly Check[]
}
