import * as Plot from '@observablehq/plot'
import { JSDOM } from 'jsdom'

/** Text and lines are in the colour that the reader's theme wants, on whatever is behind the picture. */
const THEME = `
  svg { color: #1f2328; font-family: system-ui, sans-serif; background: transparent }
  @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }
`

const CAPTION_PIXELS = 24

const SVG = 'http://www.w3.org/2000/svg'

/**
 * A plot that stands alone, or several side by side, as a file that is read in light and in dark.
 *
 * @param caption stands below: of which run it is, wherever the picture is shown.
 */
export function picture(title: string, caption: string, plots: readonly Plot.PlotOptions[]): string {
  const { document } = new JSDOM('').window
  const drawn = plots.map((options) => {
    const style = { background: 'transparent', color: 'currentColor', fontSize: '12px' }
    return Plot.plot({ ...options, document, style }) as unknown as SVGSVGElement
  })
  const outer = document.createElementNS(SVG, 'svg')
  const [style, name] = [document.createElementNS(SVG, 'style'), document.createElementNS(SVG, 'title')]
  style.textContent = THEME
  name.textContent = title
  outer.append(name, style)
  let width = 0
  for (const plot of drawn) {
    plot.setAttribute('x', `${width}`)
    width += Number(plot.getAttribute('width'))
    outer.append(plot)
  }
  const plotted = Math.max(...drawn.map((plot) => Number(plot.getAttribute('height'))))
  const height = plotted + CAPTION_PIXELS
  const text = document.createElementNS(SVG, 'text')
  text.textContent = caption
  for (const [key, value] of Object.entries({ x: 10, y: height - 8, 'font-size': 11, 'fill-opacity': 0.7 }))
    text.setAttribute(key, `${value}`)
  text.setAttribute('fill', 'currentColor')
  outer.append(text)
  outer.setAttribute('xmlns', SVG)
  outer.setAttribute('role', 'img')
  outer.setAttribute('viewBox', `0 0 ${width} ${height}`)
  outer.setAttribute('width', `${width}`)
  outer.setAttribute('height', `${height}`)
  return `${outer.outerHTML}\n`
}

/**
 * Names in their colours, in a line above the plot: Plot's own legend is HTML, which a picture can't hold. Those of
 * `hollow` have a frame only.
 */
export function legend(
  colours: Readonly<Record<string, string>>,
  above: number,
  hollow: readonly string[] = [],
): Plot.Markish[] {
  const letter = 7.5
  let dx = 0
  return Object.entries(colours).map(([name, fill]) => {
    const mark = Plot.text([`${hollow.includes(name) ? '□' : '■'} ${name}`], {
      facet: 'super',
      frameAnchor: 'top-left',
      textAnchor: 'start',
      dx,
      dy: -above,
      fill,
      fontWeight: 600,
    })
    dx += (name.length + 4) * letter
    return mark
  })
}
