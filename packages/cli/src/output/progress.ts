import type { EmbedProgress, EmbedResult, Progress, SyncResult } from '@tidemark/sync-core'
import { formatChanges, formatDuration, formatRate } from './format.ts'
import type { Output } from './output.ts'

/** Shows how the runs of several sources get on, on standard error. */
export interface ProgressDisplay<P, R> extends Disposable {
  progress(progress: P): void
  finished(result: R): void
}

export type SyncDisplay = ProgressDisplay<Progress, SyncResult>
export type EmbedDisplay = ProgressDisplay<EmbedProgress, EmbedResult>

/** The words for a run while it runs. */
export interface ProgressFormat<P, R> {
  /** Where it is, for a line that is drawn anew. */
  line(progress: P): string
  /** What it is at, for lines that stay; null where there is nothing to say. */
  step(progress: P): string | null
  /** How it ended, in a few words. */
  end(result: R): string
}

interface WithSource {
  readonly source: string
}

/** One live line a source on a terminal, plain lines elsewhere, nothing with `--json` or `--quiet`. */
export async function openProgress<P extends WithSource, R extends WithSource>(
  output: Output,
  format: ProgressFormat<P, R>,
): Promise<ProgressDisplay<P, R>> {
  if (output.json || output.quiet) return { progress() {}, finished() {}, [Symbol.dispose]() {} }
  // Traces would be written across live lines.
  const terminal = !output.verbose && process.stderr.isTTY && process.env.TERM !== 'dumb' && !process.env.CI
  return terminal ? liveLines(format) : plainLines(output, format)
}

const REDRAW_MS = 100

/** One line for each source, drawn anew several times a second and taken away at the end. */
async function liveLines<P extends WithSource, R extends WithSource>({
  line,
  end,
}: ProgressFormat<P, R>): Promise<ProgressDisplay<P, R>> {
  const [{ default: cliTruncate }, { createLogUpdate }] = await Promise.all([
    import('cli-truncate'),
    import('log-update'),
  ])
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

function plainLines<P extends WithSource, R extends WithSource>(
  output: Output,
  { step, end }: ProgressFormat<P, R>,
): ProgressDisplay<P, R> {
  const steps = new Map<string, string>()
  return {
    progress(progress) {
      const now = step(progress)
      if (now === null || steps.get(progress.source) === now) return
      steps.set(progress.source, now)
      output.notify(`${progress.source}: ${now}`)
    },
    finished: (result) => output.notify(`${result.source}  ${end(result)}`),
    [Symbol.dispose]() {},
  }
}

const PHASE_LABELS: Record<Progress['phase'], string> = {
  lock: 'waiting for its lease',
  fetch: 'fetching',
  plan: 'comparing',
  apply: 'importing',
  search: 'indexing for search',
}

export const syncFormat: ProgressFormat<Progress, SyncResult> = {
  line: ({ phase, total, ...progress }) =>
    phase === 'apply' && total !== null
      ? `${PHASE_LABELS.apply} ${formatRate({ ...progress, total }, 'files')}`
      : `${PHASE_LABELS[phase]} …`,
  step({ phase, total }) {
    if (phase === 'lock' || (phase === 'apply' && total === 0)) return null
    return phase === 'apply' ? `${PHASE_LABELS.apply} ${total} files` : PHASE_LABELS[phase]
  },
  end: (result) => `${result.status} ${formatChanges(result)} in ${formatDuration(result.elapsedMs)}`,
}

/** The total is 0 until it is known. */
export const embedFormat: ProgressFormat<EmbedProgress, EmbedResult> = {
  line: (progress) => (progress.total === 0 ? 'preparing …' : `embedding ${formatRate(progress, 'chunks')}`),
  step: ({ total }) => (total === 0 ? null : `embedding ${total} chunks`),
  end: ({ status, chunksEmbedded, elapsedMs }) =>
    `${status}, ${chunksEmbedded} chunks embedded in ${formatDuration(elapsedMs)}`,
}
