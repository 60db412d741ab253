import type { EmbedProgress, EmbedResult, Progress, RunResult, SyncResult } from '@tidemark/sync-core'
import { formatChanges, formatDuration, formatRate } from './format.ts'
import type { LogFlags } from './log.ts'
import type { AnyProgress } from './log-event.ts'
import type { Output } from './output.ts'
import { terminalLine } from './terminal-text.ts'

/** Where a run is, in words. */
interface ProgressText {
  readonly source: string
  /** For a line that is drawn anew. */
  readonly line: string
  /** For lines that stay; null where there is nothing to say. */
  readonly step: string | null
}

/** Shows how the runs of several sources get on, on standard error. */
export interface ProgressDisplay extends Disposable {
  started(source: string): void
  progress(progress: AnyProgress): void
  finished(result: RunResult): void
}

/**
 * Events where those are logged; else one live line a source on a terminal, plain lines elsewhere or where they are to
 * have the time, nothing with `--json` or `--quiet`.
 */
export async function openProgress(output: Output, { log, logTime = false }: LogFlags): Promise<ProgressDisplay> {
  if (log === 'json') return (await import('./progress-events.ts')).progressEvents()
  if (output.json || output.quiet) return { started() {}, progress() {}, finished() {}, [Symbol.dispose]() {} }
  // Traces would be written across live lines.
  const stays = output.verbose || logTime || process.env.TERM === 'dumb' || process.env.CI
  return process.stderr.isTTY && !stays ? liveLines() : plainLines(output)
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
    started() {},
    progress: (progress) => void running.set(progress.source, formatProgress(progress).line),
    finished(result) {
      running.delete(result.source)
      finished.set(result.source, formatEnd(result))
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
    started() {},
    progress(progress) {
      const { source, step } = formatProgress(progress)
      if (step === null || steps.get(source) === step) return
      steps.set(source, step)
      output.notify(`${source}: ${step}`)
    },
    finished: (result) => output.notify(`${result.source}  ${formatEnd(result)}`),
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

const formatProgress = (progress: AnyProgress): ProgressText =>
  isEmbedProgress(progress) ? formatEmbedProgress(progress) : formatSyncProgress(progress)

const isEmbedProgress = (progress: AnyProgress): progress is EmbedProgress =>
  progress.phase === 'embed' || progress.phase === 'index'

/** How the run of a source ended, in a few words. */
export const formatEnd = (result: RunResult): string =>
  'chunksEmbedded' in result ? formatEmbedEnd(result) : formatSyncEnd(result)

function formatSyncProgress({ source, phase, total, ...progress }: Progress): ProgressText {
  const label = PHASE_LABELS[phase]
  if (phase === 'search' && progress.done > 0) return { source, line: `${label} ${progress.done} pages …`, step: label }
  if (phase !== 'apply') return { source, line: `${label} …`, step: phase === 'lock' ? null : label }
  return {
    source,
    line: total === null ? `${label} …` : `${label} ${formatRate({ ...progress, total }, 'files')}`,
    step: total === 0 ? null : `${label} ${total} files`,
  }
}

const formatSyncEnd = (result: SyncResult) =>
  `${result.status} ${formatChanges(result)} in ${formatDuration(result.elapsedMs)}`

/** The total is 0 until it is known. */
function formatEmbedProgress({ source, phase, total, ...progress }: EmbedProgress): ProgressText {
  if (phase === 'index') {
    const label = 'building the index of the vectors'
    const percent = total === 0 ? '…' : `${Math.floor((progress.done / total) * 100)} %`
    return { source, line: `${label} ${percent}`, step: label }
  }
  if (total === 0) return { source, line: 'preparing …', step: null }
  const line = `embedding ${formatRate({ ...progress, total }, 'chunks')}`
  return { source, line, step: `embedding ${total} chunks` }
}

const formatEmbedEnd = ({ status, chunksEmbedded, elapsedMs }: EmbedResult) =>
  `${status}, ${chunksEmbedded} chunks embedded in ${formatDuration(elapsedMs)}`
