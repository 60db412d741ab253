import type { Policy, SourceWork } from '../policies/policy.ts'
import type { ScaledClock } from './clock.ts'
import type { Refs } from './refs.ts'
import { outcomeOf, type SourceRun, type Wave } from './wave.ts'

/** Runs one wave of a policy and says what came of it, judged by the bookmarks before and after. */
export async function runWave(
  policy: Policy,
  { ids, refs, clock }: { ids: readonly string[]; refs: Refs; clock: ScaledClock },
): Promise<Wave> {
  const startHour = clock.now()
  const offset = performance.now() - startHour * clock.hourMs
  const hourOf = (ms: number) => (ms - offset) / clock.hourMs
  const wanted = new Map(ids.map((id) => [id, refs.at(id)]))
  const before = await policy.bookmarks()
  const { cut, work } = await policy.wave()
  const after = await policy.bookmarks()
  const sources = ids.map((source): SourceRun => {
    const own = work.find((each) => each.source === source)
    const [from, to] = [before, after].map((each) => refs.numberOf(source, each.get(source) ?? null))
    return {
      source,
      outcome: outcome(own, { from: from!, to: to!, wanted: wanted.get(source)! }),
      startHour: own ? hourOf(own.startMs) : null,
      endHour: own ? hourOf(own.endMs) : null,
      read: own?.read ?? 0,
      stored: own?.stored ?? 0,
    }
  })
  return { startHour, endHour: clock.now(), cut, outcome: outcomeOf(sources), sources }
}

/** By the numbers of commits: of the bookmark before and after, and of the ref when the wave began. */
function outcome(
  work: SourceWork | undefined,
  { from, to, wanted }: { from: number; to: number; wanted: number },
): SourceRun['outcome'] {
  if (to >= wanted) return 'finished'
  if (to > from) return 'progressed'
  if (work?.refusedBy === 'the dead') return 'locked'
  if (work?.refusedBy === 'the living') return 'in hand'
  return work?.keeps && work.stored > 0 ? 'progressed' : 'stuck'
}
