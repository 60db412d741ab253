import type { Policy, SourceWork } from './policies/policy.ts'
import { type SourceRun, type Wave, waveOutcome } from './policy-record.ts'
import type { Refs, ScaledClock } from './refs.ts'

/** Runs one wave of a policy and says what came of it, by the bookmarks before and after. */
export async function runWave(
  policy: Policy,
  { ids, refs, clock }: { ids: readonly string[]; refs: Refs; clock: ScaledClock },
): Promise<Wave> {
  const startHour = clock.now()
  const targets = new Map(ids.map((id) => [id, refs.countArrived(id)]))
  const before = await policy.bookmarks()
  const { killed, work } = await policy.wave()
  const after = await policy.bookmarks()
  const sources = ids.map((source): SourceRun => {
    const own = work.find((each) => each.source === source)
    const from = refs.indexOf(source, before.get(source) ?? null)
    const to = refs.indexOf(source, after.get(source) ?? null)
    return {
      source,
      outcome: outcomeFromCommits(own, { from, to, target: targets.get(source)! }),
      startHour: own ? clock.toHour(own.startMs) : null,
      endHour: own ? clock.toHour(own.endMs) : null,
      read: own?.read ?? 0,
      stored: own?.stored ?? 0,
    }
  })
  return { startHour, endHour: clock.now(), killed, outcome: waveOutcome(sources), sources }
}

/** By the indexes of commits: of the bookmark before and after, and of the ref when the wave began. */
function outcomeFromCommits(
  work: SourceWork | undefined,
  { from, to, target }: { from: number; to: number; target: number },
): SourceRun['outcome'] {
  if (to >= target) return 'finished'
  if (to > from) return 'progressed'
  if (work?.refusedBy) return work.refusedBy
  return work?.keeps && work.stored > 0 ? 'progressed' : 'stuck'
}
