import {
  type EmbedResult,
  otherWarnings,
  type PlannedChange,
  type RunResult,
  resultNotes,
  type SyncResult,
  severityFromStatus,
  statusText,
} from '@tidemark/sync-core'
import { formatChanges, formatCommit, formatDuration } from './format.ts'
import { logProblem, logsEvents } from './log.ts'
import type { Output } from './output.ts'

/** How the sync of a source ended, and of a dry run what it would have done. */
export type CliSyncResult = SyncResult & { readonly changes?: readonly PlannedChange[] }

/** Shows how syncs ended: plans of dry runs, a table, and below it what someone should know or do. */
export async function showSyncResults(results: readonly CliSyncResult[], output: Output): Promise<void> {
  if (!output.quiet) {
    for (const { source, changes } of results) if (changes) showPlan(source, changes, output)
    const rows = results.map((result) => [
      result.source,
      paintStatus(result, output),
      formatChanges(result),
      String(result.filesRemaining ?? '?'),
      formatCommit(result.bookmark),
      formatDuration(result.elapsedMs),
    ])
    if (!logsEvents()) await output.printTable(['source', 'status', 'files', 'left', 'bookmark', 'time'], rows)
  }
  for (const result of results) showNotes(result, output)
}

/** Shows how embedding ended, or what it would take, and below it what someone should know or do. */
export async function showEmbedResults(results: readonly EmbedResult[], output: Output): Promise<void> {
  const estimated = results.some(({ estimate }) => estimate !== undefined)
  if (!output.quiet && estimated) await showEstimates(results, output)
  else if (!output.quiet && !logsEvents()) await showEmbedded(results, output)
  for (const result of results) showNotes(result, output)
}

function showEmbedded(results: readonly EmbedResult[], output: Output): Promise<void> {
  const rows = results.map((result) => [
    result.source,
    paintStatus(result, output),
    String(result.chunksEmbedded),
    String(result.chunksQuarantined),
    String(result.chunksRemaining ?? '?'),
    String(result.tokens),
    formatDuration(result.elapsedMs),
  ])
  return output.printTable(['source', 'status', 'embedded', 'set aside', 'left', 'tokens', 'time'], rows)
}

/** Without costs where no price is known to calculate them from. */
function showEstimates(results: readonly EmbedResult[], output: Output): Promise<void> {
  const priced = results.some(({ estimate }) => estimate && estimate.cost !== null)
  const rows = results.map((result) => {
    const { tokens, cost } = result.estimate ?? { tokens: null, cost: null }
    const left = String(result.chunksRemaining ?? '?')
    const known = [result.source, paintStatus(result, output), left, tokens === null ? '?' : `≈ ${tokens}`]
    return priced ? [...known, cost === null ? '?' : `≈ ${cost.toFixed(4)}`] : known
  })
  return output.printTable(['source', 'status', 'chunks', 'tokens', ...(priced ? ['cost'] : [])], rows)
}

const COLORS = { ok: 'green', notice: 'yellow', warning: 'yellow', error: 'red' } as const

const paintStatus = (result: RunResult, output: Output) =>
  output.paint(COLORS[severityFromStatus(result.status)], statusText(result))

/** Shows what someone should know or do after a run; that the next one goes on by itself, the table says. */
export function showNotes(result: RunResult, output: Output): void {
  // They are among the events of its source.
  if (logsEvents()) return
  const { source } = result
  for (const { message } of otherWarnings(result)) output.warn(`tidemark: ${source}: ${message}`)
  for (const note of resultNotes(result)) {
    // That another is at work, or that files are set aside, is no fault.
    if (note.severity === 'error' || (note.severity === 'warning' && !output.quiet))
      logProblem(note.severity, note, source)
  }
}

/** How many of a kind are shown without --verbose. */
const MAX_SHOWN = 20

const KINDS = {
  add: ['+', 'green', 'to be added'],
  update: ['~', 'yellow', 'to be changed'],
  rename: ['→', 'cyan', 'to be renamed'],
  delete: ['−', 'red', 'to be deleted'],
  quarantine: ['!', 'magenta', 'to be set aside'],
} as const

/** Shows what a dry run would do, one file a line; of many of a kind only the first ones, all with `--verbose`. */
function showPlan(source: string, planned: readonly PlannedChange[], output: Output): void {
  if (planned.length === 0) output.print(`${source}: nothing to do`)
  for (const [kind, [sign, style, words]] of Object.entries(KINDS)) {
    const alike = planned.filter(({ change }) => change === kind)
    if (alike.length === 0) continue
    output.print(`${source}: ${alike.length} ${words}`)
    for (const { path, from } of alike.slice(0, output.verbose ? undefined : MAX_SHOWN)) {
      output.print(output.paint(style, `  ${sign} ${from === undefined ? path : `${from} → ${path}`}`))
    }
    if (!output.verbose && alike.length > MAX_SHOWN)
      output.print(`  … and ${alike.length - MAX_SHOWN} more; --verbose shows all`)
  }
}
