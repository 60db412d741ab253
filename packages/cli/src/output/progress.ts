import type { EmbedProgress, EmbedResult, Progress, SyncResult } from '@tidemark/sync-core'
import { formatChanges, formatDuration, formatRate } from './format.ts'
import type { Output } from './output.ts'
import { terminalLine } from './terminal-text.ts'

/** Where a run is, in words. */
export interface ProgressText {
  readonly source: string
  /** For a line that is drawn anew. */
  readonly line: string
  /** For lines that stay; null where there is nothing to say. */
  readonly step: string | null
}

/** Shows how the runs of several sources get on, on standard error. */
export interface ProgressDisplay extends Disposable {
  progress(text: ProgressText): void
  /** @param end how the run of that source ended, in a few words */
  finished(source: string, end: string): void
}

/** One live line a source on a terminal, plain lines elsewhere, nothing with `--json` or `--quiet`. */
export async function openProgress(output: Output): Promise<ProgressDisplay> {
  if (output.json || output.quiet) return { progress() {}, finished() {}, [Symbol.dispose]() {} }
  // Traces would be written across live lines.
  const terminal = !output.verbose && process.stderr.isTTY && process.env.TERM !== 'dumb' && !process.env.CI
  return terminal ? liveLines() : plainLines(output)
}

const REDRAW_MS = 100

/** One line for each source, drawn anew several times a second and taken away at the end. */
async function liveLines(): Promise<ProgressDisplay> {
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
    const lines = [...finished, ...running].map(([source, text]) => terminalLine(`${source}  ${text}`))
    draw(lines.map((text) => cliTruncate(text, stream.columns)).join('\n'))
  }
  const timer = setInterval(redraw, REDRAW_MS)
  return {
    progress: ({ source, line }) => void running.set(source, line),
    finished(source, end) {
      running.delete(source)
      finished.set(source, end)
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      draw.clear()
      draw.done()
    },
  }
}

function plainLines(output: Output): ProgressDisplay {
  const steps = new Map<string, string>()
  return {
    progress({ source, step }) {
      if (step === null || steps.get(source) === step) return
      steps.set(source, step)
      output.notify(`${source}: ${step}`)
    },
    finished: (source, end) => output.notify(`${source}  ${end}`),
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

export function formatSyncProgress({ source, phase, total, ...progress }: Progress): ProgressText {
  const label = PHASE_LABELS[phase]
  if (phase === 'search' && total !== null)
    return { source, line: `${label} ${formatRate({ ...progress, total }, 'pages')}`, step: label }
  if (phase !== 'apply') return { source, line: `${label} …`, step: phase === 'lock' ? null : label }
  return {
    source,
    line: total === null ? `${label} …` : `${label} ${formatRate({ ...progress, total }, 'files')}`,
    step: total === 0 ? null : `${label} ${total} files`,
  }
}

export const formatSyncEnd = (result: SyncResult) =>
  `${result.status} ${formatChanges(result)} in ${formatDuration(result.elapsedMs)}`

/** The total is 0 until it is known. */
export function formatEmbedProgress({ source, phase, total, ...progress }: EmbedProgress): ProgressText {
  if (phase === 'index') {
    const label = 'building the index of the vectors'
    const percent = total === 0 ? '…' : `${Math.floor((progress.done / total) * 100)} %`
    return { source, line: `${label} ${percent}`, step: label }
  }
  if (total === 0) return { source, line: 'preparing …', step: null }
  const line = `embedding ${formatRate({ ...progress, total }, 'chunks')}`
  return { source, line, step: `embedding ${total} chunks` }
}

export const formatEmbedEnd = ({ status, chunksEmbedded, elapsedMs }: EmbedResult) =>
  `${status}, ${chunksEmbedded} chunks embedded in ${formatDuration(elapsedMs)}`
