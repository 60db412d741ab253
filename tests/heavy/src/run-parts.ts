import { benchmarks } from './bench/benchmarks.ts'
import { runChaos } from './chaos/chaos.ts'
import { type Check, createHarness, type Harness, type HarnessOptions, type Report } from './harness/harness.ts'
import type { Profile } from './profile.ts'
import { runPublished } from './reproduction/published.ts'
import { reproduce } from './reproduction/reproduce.ts'
import { scale } from './scale/scale.ts'

const RUNNERS = {
  reproduction: (profile, harness) => reproduce(profile.reproduction, harness),
  published: (profile, harness) => runPublished(profile.published, harness),
  chaos: (profile, harness) => runChaos(profile.chaos, harness),
  scale: (profile, harness) => scale(profile.scale, harness),
  bench: (profile, harness) => benchmarks(profile.bench, harness),
} satisfies Record<string, (profile: Profile, harness: Harness) => Promise<Report<unknown>>>

export type PartName = keyof typeof RUNNERS
export const PARTS = Object.keys(RUNNERS) as PartName[]

/** What each part that ran has measured, by its name. */
export type Figures = {
  -readonly [Name in PartName]?: Awaited<ReturnType<(typeof RUNNERS)[Name]>>['figures']
}

/** Runs parts one after the other, each on a harness of its own, which is gone when it ends, however it ends. */
export async function runParts(
  names: readonly PartName[],
  profile: Profile,
  options: HarnessOptions,
): Promise<{ figures: Figures; checks: readonly Check[] }> {
  const figures: Record<string, unknown> = {}
  const checks: Check[] = []
  for (const name of PARTS.filter((each) => names.includes(each))) {
    options.log(`▸ ${name}`)
    await using harness = await createHarness(options)
    const part = await RUNNERS[name](profile, harness)
    options.signal.throwIfAborted()
    figures[name] = part.figures
    checks.push(...part.checks)
  }
  return { figures: figures as Figures, checks }
}
