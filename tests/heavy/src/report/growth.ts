import * as Plot from '@observablehq/plot'
import { picture } from './picture.ts'

/** What a corpus of one size has taken. */
export interface ScaleSize {
  readonly pages: number
  readonly importMs: number
  readonly pagesPerSecond: number
  readonly peakMb: number
  readonly noopMs: number
  readonly changesMs: readonly { readonly files: number; readonly ms: number }[]
}

const PANELS = [
  { label: 'pages a second, first import', figure: 'pagesPerSecond', colour: '#2da44e' },
  { label: 'peak memory, MB', figure: 'peakMb', colour: '#a475f9' },
  { label: 'nothing new, ms', figure: 'noopMs', colour: '#4493f8' },
] as const

/** How speed, memory and the cost of nothing new grow with the number of pages. */
export function growth(sizes: readonly ScaleSize[], caption: string): string {
  return picture(
    'Growth with the number of pages',
    caption,
    PANELS.map(({ label, figure, colour }) => ({
      width: 320,
      height: 260,
      marginLeft: 55,
      marginRight: 30,
      marginTop: 35,
      marginBottom: 45,
      insetLeft: 24,
      insetRight: 24,
      x: {
        type: 'log' as const,
        label: 'pages',
        labelOffset: 38,
        ticks: sizes.map(({ pages }) => pages),
        tickFormat: (pages: number) => pages.toLocaleString('en'),
      },
      y: { label, domain: [0, 1.15 * Math.max(...sizes.map((size) => size[figure]))], nice: true },
      marks: [
        Plot.gridY({ stroke: 'currentColor', strokeOpacity: 0.12 }),
        Plot.ruleY([0], { stroke: 'currentColor' }),
        Plot.line(sizes, { x: 'pages', y: figure, stroke: colour, strokeWidth: 2 }),
        Plot.dot(sizes, { x: 'pages', y: figure, fill: colour, r: 4 }),
        Plot.text(sizes, {
          x: 'pages',
          y: figure,
          dy: -12,
          fill: 'currentColor',
          text: (size: ScaleSize) => Math.round(size[figure]).toLocaleString('en'),
        }),
      ],
    })),
  )
}
