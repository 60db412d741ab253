import type { Costs } from './costs.ts'
import type { Rules } from './rules.ts'
import { simulate, type World } from './simulate.ts'

/** What a policy would come to with so many sources. */
export interface Sums {
  readonly policy: string
  readonly sources: number
  readonly hours: number
  /** Shares of the runs that the schedule asks for, one a source and wave. */
  readonly progressed: number
  readonly finished: number
  readonly refused: number
  /** Of any source, and of all sources and moments together. */
  readonly worstHours: number
  readonly p95Hours: number
  /** Runs at work at a time, on average over the hour that has most of them. */
  readonly busiestHour: number
}

/** Width of a class of the distribution of staleness, in hours. */
const CLASS_HOURS = 0.05

export function sumUp(rules: Rules, costs: Costs, world: World): Sums {
  const { sources, hours } = world
  let [progressed, finished, refused, worstHours] = [0, 0, 0, 0]
  const busy = new Float64Array(hours)
  const classes = new Float64Array(hours / CLASS_HOURS + 1)
  const fresh = sources.map(({ isNew, arrivals }) => ({
    hour: 0,
    behindSince: isNew ? 0 : (arrivals.hours[0] ?? Number.POSITIVE_INFINITY),
  }))
  /** Until that hour the source stays as it was. */
  const stays = (source: number, hour: number) => {
    const from = fresh[source]!
    const until = Math.min(hour, hours)
    const [least, most] = [Math.max(0, from.hour - from.behindSince), Math.max(0, until - from.behindSince)]
    classes[0]! += Math.max(0, Math.min(until, from.behindSince) - from.hour)
    for (let behind = least; behind < most; behind += CLASS_HOURS) {
      classes[Math.floor(behind / CLASS_HOURS)]! += Math.min(CLASS_HOURS, most - behind)
    }
    worstHours = Math.max(worstHours, most)
  }
  simulate(rules, costs, world, {
    waveBegan() {},
    cut() {},
    ran(run) {
      if (run.startHour === null || run.endHour === null || run.startHour >= hours) return
      if (run.outcome !== 'stuck' && run.outcome !== 'locked') progressed++
      if (run.outcome === 'finished') finished++
      if (run.refused) refused++
      const last = Math.min(run.endHour, hours)
      for (let from = run.startHour; from < last; from = Math.floor(from) + 1) {
        busy[Math.floor(from)]! += Math.min(last, Math.floor(from) + 1) - from
      }
    },
    caughtUp(source, hour, behindSince) {
      if (fresh[source]!.hour >= hours) return
      stays(source, hour)
      fresh[source] = { hour, behindSince }
    },
  })
  for (const source of sources.keys()) if (fresh[source]!.hour < hours) stays(source, hours)
  // What was asked for: a wave that has no end reaches some of its sources never.
  const runs = sources.length * hours
  return {
    policy: rules.policy,
    sources: sources.length,
    hours,
    progressed: progressed / runs,
    finished: finished / runs,
    refused: refused / runs,
    worstHours,
    p95Hours: quantile(classes, 0.95),
    busiestHour: busy.reduce((most, hour) => Math.max(most, hour), 0),
  }
}

function quantile(classes: Float64Array, share: number): number {
  let left = share * classes.reduce((sum, time) => sum + time, 0)
  const at = classes.findIndex((time) => {
    left -= time
    return left <= 0
  })
  return Math.max(0, at) * CLASS_HOURS
}
