import * as Plot from '@observablehq/plot'
import type { PolicyRecord } from '../reproduction/policy-record.ts'
import { legend, picture } from './picture.ts'

const COLOURS = {
  finished: '#2da44e',
  progressed: '#4493f8',
  locked: '#d29922',
  'no nearer': '#e5534b',
  'not reached': '#e5534b',
}

/** A run of seconds would not be seen. */
const MIN_WIDTH_HOURS = 0.12

const ROW_PIXELS = 16

/** Every run of every source in every wave, a band for each policy. */
export function timeline(policies: readonly PolicyRecord[], hours: number, caption: string): string {
  const sources = policies[0]!.waves[0]!.sources.map(({ source }) => source)
  const runs = policies.flatMap(({ policy, waves }) =>
    waves.flatMap((wave) =>
      wave.sources
        // One that nobody reached is shown where its wave began, but not where it had nothing to do.
        .filter(({ startHour, outcome }) => startHour !== null || outcome === 'stuck')
        .map(({ source, outcome, startHour, endHour }) => {
          const from = startHour ?? wave.startHour
          return {
            policy,
            source,
            outcome: outcome !== 'stuck' ? outcome : startHour === null ? 'not reached' : 'no nearer',
            from,
            to: Math.max(endHour ?? from, from + MIN_WIDTH_HOURS),
          }
        }),
    ),
  )
  const bar = { y: 'source', fy: 'policy', x1: 'from', x2: 'to', insetTop: 1, insetBottom: 1 } as const
  return picture('Every run of each source under each policy', caption, {
    width: 960,
    height: 70 + policies.length * (sources.length * ROW_PIXELS + 12),
    marginLeft: 80,
    marginRight: 90,
    marginTop: 40,
    x: { label: 'hours', domain: [0, hours], nice: false, ticks: Math.min(24, hours), clamp: true },
    y: { domain: sources, label: null, tickSize: 0 },
    fy: { domain: policies.map(({ policy }) => policy), label: null, padding: 0.12 },
    color: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
    marks: [
      ...legend(COLOURS, 26, ['not reached']),
      Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.25 }),
      Plot.gridX({ stroke: 'currentColor', strokeOpacity: 0.12, ticks: Math.min(24, hours) }),
      Plot.barX(
        runs.filter(({ outcome }) => outcome !== 'not reached'),
        { ...bar, fill: 'outcome' },
      ),
      Plot.barX(
        runs.filter(({ outcome }) => outcome === 'not reached'),
        { ...bar, stroke: 'outcome' },
      ),
    ],
  })
}
