import type { Progress, SyncResult } from '@tidemark/sync-core'
import cliTruncate from 'cli-truncate'
import { createLogUpdate } from 'log-update'
import type { Output } from './output.ts'
import { changes, duration } from './words.ts'

/** Shows how several runs get on, on standard error. */
export interface Live extends Disposable {
  progress(progress: Progress): void
  finished(result: SyncResult): void
}

const REDRAW_MS = 100

/** One live line a source on a terminal, plain lines elsewhere, nothing with `--json` or `--quiet`. */
export function openLive(output: Output): Live {
  if (output.json || output.quiet) return { progress() {}, finished() {}, [Symbol.dispose]() {} }
  // Traces would be written across live lines.
  const terminal = !output.verbose && process.stderr.isTTY && process.env.TERM !== 'dumb' && !process.env.CI
  return terminal ? liveLines() : plainLines(output)
}

function liveLines(): Live {
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

const DOING = { lock: 'waiting for its lease', fetch: 'fetching', plan: 'comparing', apply: 'importing' }

function line({ source, phase, done, total, elapsedMs }: Progress): string {
  if (phase !== 'apply' || total === null) return `${source}  ${DOING[phase]} …`
  const rate = done / Math.max(elapsedMs / 1000, 0.001)
  const left = rate > 0 ? `, ${duration(((total - done) / rate) * 1000)} left` : ''
  return `${source}  ${DOING[phase]} ${done}/${total}  ${Math.round(rate)} files/s${left}`
}

const endOf = (result: SyncResult) =>
  `${result.source}  ${result.status} ${changes(result)} in ${duration(result.elapsedMs)}`

function plainLines(output: Output): Live {
  const phases = new Map<string, string>()
  return {
    progress({ source, phase, total }) {
      const now = phase === 'apply' ? `${DOING.apply} ${total} files` : DOING[phase]
      if (phase === 'lock' || phases.get(source) === now || (phase === 'apply' && total === 0)) return
      phases.set(source, now)
      output.note(`${source}: ${now}`)
    },
    finished: (result) => output.note(endOf(result)),
    [Symbol.dispose]() {},
  }
}
