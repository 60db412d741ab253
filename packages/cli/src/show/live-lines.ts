import type { Progress } from '@tidemark/sync-core'
import cliTruncate from 'cli-truncate'
import { createLogUpdate } from 'log-update'
import { DOING, endOf, type Live } from './live.ts'
import { duration } from './words.ts'

const REDRAW_MS = 100

/** One line for each source on standard error, drawn anew several times a second and taken away at the end. */
export function liveLines(): Live {
  const stream = process.stderr
  const draw = createLogUpdate(stream)
  // The running ones last: where there are more lines than the terminal has, it is the first ones that go.
  const finished = new Map<string, string>()
  const running = new Map<string, string>()
  const redraw = () => {
    const lines = [...finished.values(), ...running.values()]
    draw(lines.map((text) => cliTruncate(text, stream.columns)).join('\n'))
  }
  const timer = setInterval(redraw, REDRAW_MS)
  return {
    progress: (progress) => void running.set(progress.source, line(progress)),
    finished(result) {
      running.delete(result.source)
      finished.set(result.source, endOf(result))
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      draw.clear()
      draw.done()
    },
  }
}

function line({ source, phase, done, total, elapsedMs }: Progress): string {
  if (phase !== 'apply' || total === null) return `${source}  ${DOING[phase]} …`
  const rate = done / Math.max(elapsedMs / 1000, 0.001)
  const left = rate > 0 ? `, ${duration(((total - done) / rate) * 1000)} left` : ''
  return `${source}  ${DOING[phase]} ${done}/${total}  ${Math.round(rate)} files/s${left}`
}
