import { type BenchSettings, BRIEF_BENCH, FULL_BENCH } from './bench/benchmarks.ts'
import type { ChaosSettings } from './chaos/chaos.ts'
import type { PublishedSettings } from './reproduction/published.ts'
import type { ReproductionSettings } from './reproduction/reproduce.ts'
import type { ScaleSettings } from './scale/scale.ts'

export interface Profile {
  readonly reproduction: ReproductionSettings
  readonly published: PublishedSettings
  readonly chaos: ChaosSettings
  readonly scale: ScaleSettings
  readonly bench: BenchSettings
}

const published = { pages: 10_000, sources: 4, waves: 3, timeoutSeconds: 3 }

/** How much of each part is done: `short` in 6 minutes, for every change; `full` in an hour, for every night. */
export const PROFILES = {
  short: {
    reproduction: { hours: 3, doubledHours: 0, budgetSeconds: 5 },
    published,
    chaos: { kills: 6, pauses: 3, sources: 4 },
    scale: { sizes: [3_700, 7_400] },
    bench: BRIEF_BENCH,
  },
  full: {
    reproduction: { hours: 24, doubledHours: 5, budgetSeconds: 9 },
    published,
    chaos: { kills: 200, pauses: 100, sources: 6 },
    scale: { sizes: [3_700, 37_000, 370_000] },
    bench: FULL_BENCH,
  },
} satisfies Record<string, Profile>
