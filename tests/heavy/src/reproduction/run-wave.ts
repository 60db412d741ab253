import type { Policy } from './policies/policy.ts'
import type { SourceRun, Wave } from './policy-record.ts'
import type { Refs, ScaledClock } from './refs.ts'

/** Runs one wave of a policy and says what came of it, by the pages before and after. */
export async function runWave(policy: Policy, { refs, clock }: { refs: Refs; clock: ScaledClock }): Promise<Wave> {
  const startHour = clock.now()
  const targets = new Map(refs.ids.map((id) => [id, refs.countArrived(id)]))
  const before = await policy.observer.snapshot()
  const { killed, work } = await policy.wave()
  const after = await policy.observer.snapshot()
  await policy.embed?.()
  const sources = refs.ids.map((source): SourceRun => {
    const own = work.find((each) => each.source === source)
    const [from, to, target, history] = [
      before.get(source)!,
      after.get(source)!,
      targets.get(source)!,
      refs.history(source),
    ]
    // The next commit may be arriving.
    const newest = refs.countArrived(source) + 1
    const behind = ({ pages }: typeof from) => history.differences(pages, target, newest).length
    const bookmark = history.indexOf(to.bookmark)
    const stored = to.stored - from.stored
    const outcome = () => {
      if (behind(to) === 0 && bookmark >= target) return 'finished'
      if (behind(to) < behind(from) || bookmark > history.indexOf(from.bookmark)) return 'progressed'
      return own?.locked ? 'locked' : 'stuck'
    }
    return {
      source,
      outcome: outcome(),
      startHour: own ? clock.toHour(own.startMs) : null,
      endHour: own ? clock.toHour(own.endMs) : null,
      stopped: own?.stopped ?? false,
      read: own?.read ?? stored,
      stored,
      wrongPages: history.differences(to.pages, bookmark, newest).length,
    }
  })
  return { startHour, endHour: clock.now(), killed, outcome: waveOutcome(sources), sources }
}

function waveOutcome(sources: readonly SourceRun[]): Wave['outcome'] {
  const outcomes = new Set(sources.map(({ outcome }) => outcome))
  if (outcomes.has('stuck') || outcomes.has('locked')) return 'stuck'
  return outcomes.has('progressed') ? 'progressed' : 'finished'
}
