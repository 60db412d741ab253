import cliTruncate from 'cli-truncate'
import { createLogUpdate } from 'log-update'
import type { ProgressDisplay, ProgressFormat } from './progress.ts'

const REDRAW_MS = 100

/** One line for each source on standard error, drawn anew several times a second and taken away at the end. */
export function liveLines<P extends { readonly source: string }, R extends { readonly source: string }>({
  line,
  end,
}: ProgressFormat<P, R>): ProgressDisplay<P, R> {
  const stream = process.stderr
  const draw = createLogUpdate(stream)
  // The running ones last: where there are more lines than the terminal has, it is the first ones that go.
  const finished = new Map<string, string>()
  const running = new Map<string, string>()
  const redraw = () => {
    const lines = [...finished, ...running].map(([source, text]) => `${source}  ${text}`)
    draw(lines.map((text) => cliTruncate(text, stream.columns)).join('\n'))
  }
  const timer = setInterval(redraw, REDRAW_MS)
  return {
    progress: (progress) => void running.set(progress.source, line(progress)),
    finished(result) {
      running.delete(result.source)
      finished.set(result.source, end(result))
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      draw.clear()
      draw.done()
    },
  }
}
