import { makeGround } from './ground/ground.ts'
import type { Check, Part, Stage } from './ground/part.ts'
import type { Profile } from './profile.ts'
import { published } from './reproducer/published.ts'
import { reproduce } from './reproducer/reproduce.ts'

type Runner = (profile: Profile, stage: Stage) => Promise<Part<unknown>>

const RUNNERS = {
  reproduction: (profile, stage) => reproduce(profile.reproduction, stage),
  published: (profile, stage) => published(profile.published, stage),
} satisfies Record<string, Runner>

export type PartName = keyof typeof RUNNERS
export const PARTS = Object.keys(RUNNERS) as PartName[]

/** What each part that ran has left, by its name. */
export type Figures = {
  -readonly [Name in PartName]?: Awaited<ReturnType<(typeof RUNNERS)[Name]>>['figures']
}

/** Runs parts one after the other, each on a ground of its own, which is gone when it ends, however it ends. */
export async function runParts(
  names: readonly PartName[],
  profile: Profile,
  { signal, seed, tell }: { signal: AbortSignal; seed: number; tell(line: string): void },
): Promise<{ figures: Figures; checks: readonly Check[] }> {
  const figures: Record<string, unknown> = {}
  const checks: Check[] = []
  for (const name of PARTS.filter((each) => names.includes(each))) {
    tell(`▸ ${name}`)
    await using ground = await makeGround(signal)
    const part = await RUNNERS[name](profile, { ground, seed, tell })
    signal.throwIfAborted()
    figures[name] = part.figures
    checks.push(...part.checks)
  }
  return { figures: figures as Figures, checks }
}
