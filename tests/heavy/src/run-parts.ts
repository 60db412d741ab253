import { benchmarks } from './bench/benchmarks.ts'
import { chaos } from './chaos/chaos.ts'
import { makeGround } from './ground/ground.ts'
import type { Check, Part, Stage } from './ground/part.ts'
import type { Profile } from './profile.ts'
import { published } from './reproducer/published.ts'
import { type Reproduction, reproduce } from './reproducer/reproduce.ts'
import { scale } from './scale/scale.ts'
import { simulation } from './simulation/simulation.ts'

/** What a part is run with beside its stage; the simulation is held against the reproduction. */
interface Given {
  readonly profile: Profile
  readonly figures: { readonly reproduction?: Reproduction }
}

const RUNNERS = {
  reproduction: ({ profile }, stage) => reproduce(profile.reproduction, stage),
  published: ({ profile }, stage) => published(profile.published, stage),
  chaos: ({ profile }, stage) => chaos(profile.chaos, stage),
  scale: ({ profile }, stage) => scale(profile.scale, stage),
  bench: ({ profile }, stage) => benchmarks(profile.bench, stage),
  simulation: ({ figures }, stage) => simulation(stage, figures.reproduction!),
} satisfies Record<string, (given: Given, stage: Stage) => Promise<Part<unknown>>>

export type PartName = keyof typeof RUNNERS
export const PARTS = Object.keys(RUNNERS) as PartName[]

/** What each part that ran has left, by its name. */
export type Figures = {
  -readonly [Name in PartName]?: Awaited<ReturnType<(typeof RUNNERS)[Name]>>['figures']
}

/** The parts that are asked for, with those that they are held against, in their order. */
const withNeeded = (names: readonly PartName[]) =>
  PARTS.filter((each) => names.includes(each) || (each === 'reproduction' && names.includes('simulation')))

/** Runs parts one after the other, each on a ground of its own, which is gone when it ends, however it ends. */
export async function runParts(
  names: readonly PartName[],
  profile: Profile,
  { signal, seed, tell }: { signal: AbortSignal; seed: number; tell(line: string): void },
): Promise<{ figures: Figures; checks: readonly Check[] }> {
  const figures: Record<string, unknown> & Given['figures'] = {}
  const checks: Check[] = []
  for (const name of withNeeded(names)) {
    tell(`▸ ${name}`)
    await using ground = await makeGround(signal)
    const part = await RUNNERS[name]({ profile, figures }, { ground, seed, tell })
    signal.throwIfAborted()
    Object.assign(figures, { [name]: part.figures })
    checks.push(...part.checks)
  }
  return { figures: figures as Figures, checks }
}
