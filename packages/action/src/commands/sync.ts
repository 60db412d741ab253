import { dirname, join } from 'node:path'
import * as core from '@actions/core'
import {
  countRun,
  type Database,
  emptyResult,
  type Progress,
  readStatus,
  runsLeft,
  type Source,
  type SourceStatus,
  type SyncResult,
  severityFromStatus,
  statusText,
  syncSource,
} from '@tidemark/sync-core'
import pMap from 'p-map'
import prettyMs from 'pretty-ms'
import { type Stop, stopOnSignals } from 'tidemark/runtime'
import { type Annotation, annotate, resultAnnotations } from '../runner/annotations.ts'
import { withMigratedDatabase } from '../runner/database.ts'
import { endEarly, endStep, FAIL_ON } from '../runner/end-step.ts'
import { choiceInput, countInput, durationInput } from '../runner/inputs.ts'
import { logOutcome, logProgress } from '../runner/log.ts'
import { setRunOutputs } from '../runner/outputs.ts'
import { recordLeases } from '../runner/recorded-leases.ts'
import { readStepContext, type StepContext } from '../runner/step-context.ts'
import { writeSummary } from '../runner/summary.ts'

/** Brings sources up to date, each within its budget; one that fails stops no other. */
export async function sync(): Promise<void> {
  const budgetMs = durationInput('timeout')
  const breakLockIfStaleMs = durationInput('max-age')
  const concurrency = countInput('concurrency')
  const failOn = choiceInput('fail-on', FAIL_ON)
  const step = readStepContext()
  const ids = step.sources.map(({ id }) => id)
  // Until something else is known of them.
  setBehind(ids)
  const stop = stopOnSignals()
  const settings = { budgetMs, breakLockIfStaleMs, concurrency, stop }
  const { results, statuses } = await syncSources(step, settings).catch((error: unknown) =>
    endEarly(
      error,
      ids.map((id) => emptyResult(id, { status: 'partial', reason: 'cancelled' })),
      stop,
    ),
  )
  const annotations = results.flatMap(resultAnnotations)
  annotate(annotations)
  await summarize(results, statuses, annotations)
  endStep(results, { failOn, stop })
}

const setBehind = (sources: readonly string[]) => core.setOutput('behind', JSON.stringify(sources))

interface Settings {
  readonly budgetMs: number | undefined
  readonly breakLockIfStaleMs: number | undefined
  readonly concurrency: number
  readonly stop: Stop
}

function syncSources(step: StepContext, { concurrency, stop: { signal }, ...settings }: Settings) {
  const { file, search } = step.config
  const clones = join(dirname(file), '.tidemark', 'clones')
  const options = { ...settings, signal, clones, search, onProgress: logProgress(progressLine) }
  const work = async (db: Database) => {
    const recorded = recordLeases(db)
    const syncOne = async (source: Source): Promise<SyncResult> => {
      const result = await syncSource(recorded, source, options)
      logSyncResult(result)
      return result
    }
    const results = await pMap(step.sources, syncOne, { concurrency })
    // A job that was cancelled may be killed before its database has been closed.
    setRunOutputs(results)
    setBehind(results.filter(({ status }) => severityFromStatus(status) !== 'ok').map(({ source }) => source))
    return { results, statuses: signal.aborted ? [] : await readStatusForSummary(db, results) }
  }
  return withMigratedDatabase(step, work, signal)
}

/** What the summary shows beside the results; a database may have gone silent. */
const STATUS_TIMEOUT_MS = 2_000

async function readStatusForSummary(opened: Database, results: readonly SyncResult[]): Promise<SourceStatus[]> {
  const timeout = AbortSignal.timeout(STATUS_TIMEOUT_MS)
  const db: Database = { ...opened, query: (text, params) => opened.query(text, params, timeout) }
  const ids = results.map(({ source }) => source)
  // Why it does not answer the results say.
  return readStatus(db, ids).catch(() => [])
}

const progressLine = ({ source, phase, done, total }: Progress) =>
  `${source}: ${phase}${total === null ? '' : `, ${done} of ${total} files`}`

/** All of a result, in a group of the log by the name of its source. */
export function logSyncResult(result: SyncResult): void {
  const { phases, elapsedMs, bookmark, target, blobsRead, filesRemaining } = result
  const durations = Object.entries(phases).map(([phase, ms]) => `${phase} ${prettyMs(ms)}`)
  logOutcome(result, [
    `${bookmark ?? 'nothing'} is in, ${target ?? 'unknown'} is the target`,
    `${formatChanges(result)}; ${blobsRead} blobs read; ${filesRemaining ?? '?'} files left`,
    `${prettyMs(elapsedMs)}: ${durations.join(', ')}`,
  ])
}

/** `3 added, 1 deleted`, or that nothing was changed. */
function formatChanges(result: SyncResult): string {
  const counts = {
    added: result.filesImported,
    changed: result.filesUpdated,
    renamed: result.filesRenamed,
    deleted: result.filesDeleted,
    'set aside': result.filesQuarantined,
  }
  const changed = Object.entries(counts).filter(([, count]) => count > 0)
  return changed.map(([what, count]) => `${count} ${what}`).join(', ') || 'no changes'
}

const HEAD = ['source', 'status', 'files', 'left', 'runs more', 'rate', 'behind', 'time']

/** Writes how the syncs of a job ended, and what someone should know of them. */
async function summarize(
  results: readonly SyncResult[],
  statuses: readonly SourceStatus[],
  annotations: readonly Annotation[],
): Promise<void> {
  const behind = new Map(statuses.map(({ id, behindMs }) => [id, behindMs]))
  const rows = results.map((result) => [
    result.source,
    statusText(result),
    formatChanges(result),
    String(result.filesRemaining ?? '?'),
    result.status === 'partial' ? String(runsLeft(result) ?? '?') : '–',
    formatRate(result),
    formatBehind(behind.get(result.source)),
    prettyMs(result.elapsedMs),
  ])
  await writeSummary('Tidemark: sync', HEAD, rows, annotations)
}

function formatRate(result: SyncResult): string {
  const { done } = countRun(result)
  return done === 0 ? '–' : `${Math.round(done / Math.max(result.elapsedMs / 1000, 0.001))} files/s`
}

/** For how long a newer commit is known than the one that is in. */
function formatBehind(behindMs: number | null | undefined): string {
  if (behindMs === undefined) return '?'
  return behindMs === null ? '–' : prettyMs(behindMs, { unitCount: 2 })
}
