import type { SourceSnapshot } from './observe.ts'
import type { Policy, SourceWork } from './policies/policy.ts'
import { type SourceRun, type Wave, waveOutcome } from './policy-record.ts'
import type { Refs, ScaledClock } from './refs.ts'

/** Runs one wave of a policy and says what came of it, by the pages before and after. */
export async function runWave(policy: Policy, { refs, clock }: { refs: Refs; clock: ScaledClock }): Promise<Wave> {
  const startHour = clock.now()
  const targets = new Map(refs.ids.map((id) => [id, refs.countArrived(id)]))
  const before = await policy.observer.snapshot()
  const { killed, work } = await policy.wave()
  const after = await policy.observer.snapshot()
  const sources = refs.ids.map((source): SourceRun => {
    const own = work.find((each) => each.source === source)
    const [from, to] = [before.get(source)!, after.get(source)!]
    const stored = to.stored - from.stored
    return {
      source,
      ...judge(own, { from, to, target: targets.get(source)!, refs, source }),
      startHour: own ? clock.toHour(own.startMs) : null,
      endHour: own ? clock.toHour(own.endMs) : null,
      stopped: own?.stopped ?? false,
      read: own?.read ?? stored,
      stored,
    }
  })
  return { startHour, endHour: clock.now(), killed, outcome: waveOutcome(sources), sources }
}

interface Change {
  readonly from: SourceSnapshot
  readonly to: SourceSnapshot
  /** The commit that was there when the wave began. */
  readonly target: number
  readonly refs: Refs
  readonly source: string
}

function judge(work: SourceWork | undefined, { from, to, target, refs, source }: Change) {
  const history = refs.history(source)
  // The next commit may be arriving.
  const newest = refs.countArrived(source) + 1
  const [bookmarkBefore, bookmark] = [history.indexOf(from.bookmark), history.indexOf(to.bookmark)]
  const behind = ({ pages }: SourceSnapshot) => history.differences(pages, target, newest).length
  const [behindBefore, behindAfter] = [behind(from), behind(to)]
  const outcome = (): SourceRun['outcome'] => {
    if (behindAfter === 0 && bookmark >= target) return 'finished'
    if (behindAfter < behindBefore || bookmark > bookmarkBefore) return 'progressed'
    return work?.refusedBy ?? 'stuck'
  }
  return { outcome: outcome(), wrongPages: history.differences(to.pages, bookmark, newest).length }
}
