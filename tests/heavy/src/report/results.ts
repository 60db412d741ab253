import type { Machine } from '../ground/machine.ts'
import type { Check, Part } from '../ground/part.ts'
import type { PolicyRecord } from '../reproducer/policy-record.ts'
import type { SimulationFigures } from '../simulation/simulation.ts'
import type { ScaleSize } from './growth.ts'

/** What a run of all parts, or of some of them, has left. */
export interface Results {
  readonly machine: Machine
  /** `short` or `full`. */
  readonly profile: string
  readonly reproduction?: {
    readonly hourMs: number
    readonly hours: number
    readonly policies: readonly PolicyRecord[]
  }
  readonly simulation?: SimulationFigures
  readonly scale?: { readonly sizes: readonly ScaleSize[] }
  /** Figures of which nothing but their shape is known here: they are shown as they are. */
  readonly published?: Part<unknown>['figures']
  readonly chaos?: Part<unknown>['figures']
  readonly bench?: Part<unknown>['figures']
  readonly checks: readonly Check[]
}
