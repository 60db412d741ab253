import {
  countRun,
  type Database,
  emptyResult,
  type Progress,
  readStatus,
  runsLeft,
  type Source,
  type SyncResult,
  severityFromStatus,
  statusText,
  syncSource,
} from '@tidemark/sync-core'
import pMap from 'p-map'
import prettyMs from 'pretty-ms'
import { breakSourceLeases } from 'tidemark/runtime'
import { setBehind } from '../runner/behind.ts'
import { clonesFolder } from '../runner/clones-folder.ts'
import { decisionInputs, SYNC_DECISIONS } from '../runner/decision-inputs.ts'
import { countInput, durationInput } from '../runner/inputs.ts'
import { log, logOutcome, logProgress } from '../runner/log.ts'
import { commitCell, repositoryUrl } from '../runner/repository-links.ts'
import { runStep } from '../runner/run-step.ts'
import { readStepContext } from '../runner/step-context.ts'

/** Brings sources up to date, each within its budget; one that fails stops no other. */
export async function sync(): Promise<void> {
  const budgetMs = durationInput('timeout')
  const breakLockIfStaleMs = durationInput('max-age')
  const concurrency = countInput('concurrency')
  const decided = decisionInputs(SYNC_DECISIONS)
  const step = readStepContext()
  const { search } = step.config
  const clones = clonesFolder(step.config.clones)
  const ids = step.sources.map(({ id }) => id)
  const repositories = new Map(step.sources.map(({ id, repo }) => [id, repo]))
  let behindMs = new Map<string, number | null>()
  await runStep(step, {
    async work(db, signal) {
      const { full, 'allow-mass-delete': allowMassDelete, 'retry-quarantined': retryQuarantined } = decided
      const decisions = { full, allowMassDelete, retryQuarantined }
      const onProgress = logProgress(progressLine)
      const options = { budgetMs, breakLockIfStaleMs, signal, clones, search, onProgress, ...decisions }
      if (decided['force-break']) await forceBreak(db, step.sources)
      const syncOne = async (source: Source): Promise<SyncResult> => {
        const result = await syncSource(db, source, options)
        logSyncResult(result)
        return result
      }
      const results = await pMap(step.sources, syncOne, { concurrency })
      if (!signal.aborted) behindMs = await readBehind(db, ids)
      return results
    },
    cancelled: (id) => emptyResult(id, { status: 'partial', reason: 'cancelled' }),
    setOutputs: (results) => setBehind(results.filter(isUnfinished).map(({ source }) => source)),
    table: {
      heading: 'Tidemark: sync',
      head: ['source', 'status', 'files', 'left', 'runs more', 'rate', 'behind', 'time', 'commit'],
      row: (result) => [
        { text: result.source, href: repositoryUrl(repositories.get(result.source)!) },
        statusText(result),
        formatChanges(result),
        String(result.filesRemaining ?? '?'),
        result.status === 'partial' ? String(runsLeft(result) ?? '?') : '–',
        formatRate(result),
        formatBehind(behindMs.get(result.source)),
        prettyMs(result.elapsedMs),
        commitCell(repositories.get(result.source)!, result.bookmark),
      ],
    },
  })
}

/** Whether it is not at its ref, or not all of it can be found. */
const isUnfinished = ({ status, warnings }: SyncResult) =>
  severityFromStatus(status) !== 'ok' || warnings.some(({ code }) => code === 'search_behind')

/** Breaks the leases of sources although their holders are alive, and says whose they were. */
async function forceBreak(db: Database, sources: readonly Source[]): Promise<void> {
  for (const { source, verdict, holder } of await breakSourceLeases(db, sources, { force: true }))
    if (verdict === 'broken') log(`${source}: the lease of process ${holder!.pid} on ${holder!.host} was broken`)
}

/** What the summary shows beside the results; a database may have gone silent. */
const STATUS_TIMEOUT_MS = 2_000

/** For how long sources are behind; none where the database does not answer: why, the results say. */
async function readBehind(opened: Database, ids: readonly string[]): Promise<Map<string, number | null>> {
  const timeout = AbortSignal.timeout(STATUS_TIMEOUT_MS)
  const db: Database = { ...opened, query: (text, params) => opened.query(text, params, timeout) }
  const statuses = await readStatus(db, ids).catch(() => [])
  return new Map(statuses.map(({ id, behindMs }) => [id, behindMs]))
}

/** Where a run is, in a line of the log. */
export function progressLine({ source, phase, done, total }: Progress): string {
  if (phase === 'search') return `${source}: indexing for search, ${done} pages`
  return `${source}: ${phase}${total === null ? '' : `, ${done} of ${total} files`}`
}

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

function formatRate(result: SyncResult): string {
  const { done } = countRun(result)
  return done === 0 ? '–' : `${Math.round(done / Math.max(result.elapsedMs / 1000, 0.001))} files/s`
}

/** For how long a newer commit is known than the one that is in. */
function formatBehind(behindMs: number | null | undefined): string {
  if (behindMs === undefined) return '?'
  return behindMs === null ? '–' : prettyMs(behindMs, { unitCount: 2 })
}
