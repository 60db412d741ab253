import type { PublishedSettings } from './reproducer/published.ts'
import type { ReproductionSettings } from './reproducer/reproduce.ts'

export interface Profile {
  readonly reproduction: ReproductionSettings
  readonly published: PublishedSettings
}

const published = { pages: 10_000, sources: 4, waves: 3, timeoutSeconds: 1 }

/** How much of each part is done: `short` in 4 minutes, for every change; `full` in an hour, for every night. */
export const PROFILES = {
  short: { reproduction: { hours: 4, budgetSeconds: 4 }, published: { ...published, sources: 2 } },
  full: { reproduction: { hours: 56, budgetSeconds: 3 }, published },
} satisfies Record<string, Profile>
