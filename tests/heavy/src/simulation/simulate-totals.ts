import { sum } from '../harness/statistics.ts'
import type { Costs } from './costs.ts'
import { behindSince, startProgress } from './model-source.ts'
import type { Rules } from './rules.ts'
import { simulate, type World } from './simulate.ts'

/** What a policy would come to with so many sources. */
export interface Totals {
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

/** Width of a bin of the histogram of staleness, in hours. */
const BIN_HOURS = 0.05

/** Sums up instead of keeping a record, which thousands of sources would make too large. */
export function simulateTotals(rules: Rules, costs: Costs, world: World): Totals {
  const { sources, hours } = world
  let [progressed, finished, refused, worstHours] = [0, 0, 0, 0]
  const busy = new Float64Array(hours)
  const bins = new Float64Array(hours / BIN_HOURS + 1)
  const freshness = sources.map((source) => ({ hour: 0, since: behindSince(source, startProgress(source)) }))
  /** Until that hour the source stays as it was. */
  const addStaleness = ({ hour, since }: (typeof freshness)[number], untilHour: number) => {
    const until = Math.min(untilHour, hours)
    const [min, max] = [Math.max(0, hour - since), Math.max(0, until - since)]
    bins[0]! += Math.max(0, Math.min(until, since) - hour)
    for (let behind = min; behind < max; behind += BIN_HOURS) {
      bins[Math.floor(behind / BIN_HOURS)]! += Math.min(BIN_HOURS, max - behind)
    }
    worstHours = Math.max(worstHours, max)
  }
  simulate(rules, costs, world, {
    sourceRan({ startHour, endHour, outcome, refused: wasRefused }) {
      if (startHour === null || endHour === null || startHour >= hours) return
      if (outcome !== 'stuck' && outcome !== 'stale_lock') progressed++
      if (outcome === 'finished') finished++
      if (wasRefused) refused++
      const last = Math.min(endHour, hours)
      for (let from = startHour; from < last; from = Math.floor(from) + 1) {
        busy[Math.floor(from)]! += Math.min(last, Math.floor(from) + 1) - from
      }
    },
    caughtUp(source, hour, since) {
      if (freshness[source]!.hour >= hours) return
      addStaleness(freshness[source]!, hour)
      freshness[source] = { hour, since }
    },
  })
  for (const state of freshness) if (state.hour < hours) addStaleness(state, hours)
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
    p95Hours: percentileOfBins(bins, 0.95),
    busiestHour: Math.max(0, ...busy),
  }
}

function percentileOfBins(bins: Float64Array, share: number): number {
  let left = share * sum([...bins])
  const index = bins.findIndex((time) => {
    left -= time
    return left <= 0
  })
  return Math.max(0, index) * BIN_HOURS
}
