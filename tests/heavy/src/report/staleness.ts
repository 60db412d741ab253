import * as Plot from '@observablehq/plot'
import { MAX_STALE_HOURS } from '../harness/thresholds.ts'
import type { PolicyRecord } from '../reproduction/policy-record.ts'
import { legend, picture } from './picture.ts'

/** Enough for the policies that there are; a further one begins again. */
const COLOURS = ['#e5534b', '#d29922', '#2da44e', '#4493f8', '#a475f9', '#2f9ea0']

/** How stale the worst source is under each policy, hour by hour. */
export function staleness(policies: readonly PolicyRecord[], hours: number, caption: string): string {
  const colours = Object.fromEntries(policies.map(({ policy }, i) => [policy, COLOURS[i % COLOURS.length]!]))
  const lines = policies.flatMap(({ policy, staleness }) => {
    // Samples of all sources are taken at the same moments.
    const [first, ...others] = staleness.map(({ samples }) => samples.filter(([hour]) => hour <= hours))
    return (first ?? []).map(([hour, behind], i) => ({
      policy,
      hour,
      behind: Math.max(behind, ...others.map((samples) => samples[i]?.[1] ?? 0)),
    }))
  })
  const max = Math.max(MAX_STALE_HOURS, ...lines.map(({ behind }) => behind))
  return picture('How stale the worst source is under each policy', caption, [
    {
      width: 960,
      height: 400,
      marginLeft: 50,
      marginTop: 65,
      x: { label: 'hours', domain: [0, hours] },
      // Two hours and two days are to be read in one picture.
      y: {
        label: 'hours behind, of the worst source',
        type: 'sqrt',
        domain: [0, max],
        ticks: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500].filter((tick) => tick <= max),
        tickFormat: (tick: number) => `${tick}`,
      },
      color: { domain: Object.keys(colours), range: Object.values(colours) },
      marks: [
        ...legend(colours, 30),
        Plot.gridY({
          stroke: 'currentColor',
          strokeOpacity: 0.12,
          ticks: [1, 5, 10, 20, 50, 100].filter((tick) => tick <= max),
        }),
        Plot.ruleY([0], { stroke: 'currentColor' }),
        Plot.ruleY([MAX_STALE_HOURS], { stroke: 'currentColor', strokeDasharray: '4 4' }),
        Plot.text([`${MAX_STALE_HOURS} hours: what we promise`], {
          frameAnchor: 'right',
          y: [MAX_STALE_HOURS],
          dy: -8,
          fill: 'currentColor',
          textAnchor: 'end',
        }),
        // Later ones lie on earlier ones, which are wider so as to be seen where they are the same.
        ...policies.map(({ policy }, i) =>
          Plot.line(
            lines.filter((line) => line.policy === policy),
            { x: 'hour', y: 'behind', stroke: 'policy', strokeWidth: Math.max(1.5, 4 - 1.2 * i) },
          ),
        ),
      ],
    },
  ])
}
