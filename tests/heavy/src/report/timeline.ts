import * as Plot from '@observablehq/plot'
import { JSDOM } from 'jsdom'
import type { Period, PolicyRecord } from '../reproduction/policy-record.ts'

const COLOURS = {
  'run in time': '#8c959f',
  'run killed': '#b62324',
  finished: '#2da44e',
  progressed: '#4493f8',
  locked: '#d29922',
  'no nearer': '#e5534b',
  'not reached': '#e5534b',
  'not embedded': '#a475f9',
}

/** A run of seconds would not be seen. */
const MIN_WIDTH_HOURS = 0.12

const ROW_PIXELS = 16

/**
 * Every run and what it did to each source, and when texts waited for their embedding; a band for each policy.
 *
 * @param caption stands below: of which run it is, wherever the picture is shown.
 */
export function timeline(policies: readonly PolicyRecord[], hours: number, caption: string): string {
  const rows = ['run', ...policies[0]!.waves[0]!.sources.map(({ source }) => source), 'to embed']
  const bars = policies.flatMap(({ policy, waves, unembeddedPeriods }) => [
    ...waves.map((wave) => toBar(policy, 'run', wave.killed ? 'run killed' : 'run in time', wave)),
    ...unembeddedPeriods.map((period) => toBar(policy, 'to embed', 'not embedded', period)),
    ...waves.flatMap((wave) =>
      wave.sources
        // One that nobody reached is shown where its wave began, but not where it had nothing to do.
        .filter(({ startHour, outcome }) => startHour !== null || outcome === 'stuck')
        .map(({ source, outcome, startHour, endHour }) => {
          const from = startHour ?? wave.startHour
          const shown = outcome !== 'stuck' ? outcome : startHour === null ? 'not reached' : 'no nearer'
          return toBar(policy, source, shown, { startHour: from, endHour: endHour ?? from })
        }),
    ),
  ])
  const [reached, notReached] = [true, false].map((is) =>
    bars.filter(({ outcome }) => (outcome !== 'not reached') === is),
  )
  const bar = { y: 'row', fy: 'policy', x1: 'from', x2: 'to', insetTop: 1, insetBottom: 1 } as const
  const grid = { stroke: 'currentColor', strokeOpacity: 0.12, ticks: Math.min(24, hours) }
  return toSvg(caption, {
    width: 960,
    height: 70 + policies.length * (rows.length * ROW_PIXELS + 12),
    ...{ marginLeft: 80, marginRight: 90, marginTop: 40 },
    x: { label: 'hours', domain: [0, hours], nice: false, ticks: Math.min(24, hours), clamp: true },
    y: { domain: rows, label: null, tickSize: 0 },
    fy: { domain: policies.map(({ policy }) => policy), label: null, padding: 0.12 },
    color: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
    marks: [
      ...legend(),
      Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.25 }),
      Plot.gridX(grid),
      Plot.barX(reached, { ...bar, fill: 'outcome' }),
      Plot.barX(notReached, { ...bar, stroke: 'outcome' }),
    ],
  })
}

const toBar = (policy: string, row: string, outcome: keyof typeof COLOURS, { startHour, endHour }: Period) => {
  return { policy, row, outcome, from: startHour, to: Math.max(endHour, startHour + MIN_WIDTH_HOURS) }
}

/** Names in their colours, in a line above the plot: Plot's own legend is HTML, which a picture can't hold. */
const legend = () =>
  Object.entries(COLOURS).map(([name, fill], i) => {
    const place = { facet: 'super', frameAnchor: 'top-left', textAnchor: 'start', dx: 105 * i, dy: -26 } as const
    return Plot.text([`${name === 'not reached' ? '□' : '■'} ${name}`], { ...place, fill, fontWeight: 600 })
  })

/** Text and lines are in the colour that the reader's theme wants, on whatever is behind the picture. */
const THEME = `
  svg { color: #1f2328; font-family: system-ui, sans-serif; background: transparent }
  @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }
`

/** A plot, and the caption below it, as a file that is read in light and in dark. */
function toSvg(caption: string, options: Plot.PlotOptions): string {
  const { document } = new JSDOM('').window
  const style = { background: 'transparent', color: 'currentColor', fontSize: '12px' }
  const plot = Plot.plot({ ...options, document, style })
  const [width, height] = [options.width!, options.height! + 24]
  const outer = document.createElement('div')
  outer.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${height}"
    width="${width}" height="${height}"><title>Every run of each source under each policy</title><style>${THEME}</style>
    <text x="10" y="${height - 8}" font-size="11" fill="currentColor" fill-opacity="0.7"></text></svg>`
  const svg = outer.firstElementChild!
  svg.querySelector('text')!.textContent = caption
  svg.append(plot as unknown as Node)
  return `${svg.outerHTML}\n`
}
