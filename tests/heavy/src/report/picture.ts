import * as Plot from '@observablehq/plot'
import { JSDOM } from 'jsdom'

/** Text and lines are in the colour that the reader's theme wants, on whatever is behind the picture. */
const THEME = `
  svg { color: #1f2328; font-family: system-ui, sans-serif; background: transparent }
  @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }
`

const CAPTION_PIXELS = 24

/**
 * A plot as a file that is read in light and in dark.
 *
 * @param caption stands below: of which run it is, wherever the picture is shown.
 */
export function picture(title: string, caption: string, options: Plot.PlotOptions): string {
  const { document } = new JSDOM('').window
  const style = { background: 'transparent', color: 'currentColor', fontSize: '12px' }
  const plot = Plot.plot({ ...options, document, style })
  const [width, plotted] = [plot.getAttribute('width'), Number(plot.getAttribute('height'))]
  const height = plotted + CAPTION_PIXELS
  const outer = document.createElement('div')
  outer.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${height}" width="${width}"
    height="${height}"><title></title><style>${THEME}</style><text x="10" y="${height - 8}" font-size="11"
    fill="currentColor" fill-opacity="0.7"></text></svg>`
  const svg = outer.firstElementChild!
  svg.querySelector('title')!.textContent = title
  svg.querySelector('text')!.textContent = caption
  svg.insertBefore(plot as unknown as Node, svg.lastElementChild)
  return `${svg.outerHTML}\n`
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
