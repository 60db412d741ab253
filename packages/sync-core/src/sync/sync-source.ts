/**
 * Makes the pages of a source equal to the Markdown files of its ref.
 *
 * A source is `clean` while its pages equal its bookmark. A run that finds the ref elsewhere takes the lease
 * `sync:<source>`, marks the source dirty in its first statement, writes fenced batches, and moves the bookmark in the
 * last one. It may stop after any of them, by the budget, the caller, the stall watchdog, a lost lease, a kill: the
 * source stays dirty, and the next run compares the two states again and finds only what is left. A run that loses its
 * lease writes nothing more, because every statement that writes begins with the fence. A run whose connection is cut
 * off goes on in the same way by itself, on a new one, while it has its lease. A run that finds nothing new
 * takes no lease and writes only when it looked. The search index follows after, under a lease of its own, and
 * never changes how a run ended.
 */
import { setImmediate } from 'node:timers/promises'
import { type Database, withSignal } from '../database/database.ts'
import type { Origin } from '../git/origin.ts'
import { hasTree } from '../git/refs.ts'
import { guardViolation } from '../plan/guard.ts'
import { type PlannedChange, plannedChanges } from '../plan/plan.ts'
import { type Budget, startBudget } from '../run/budget.ts'
import { acquireLease, type Held, leaseKey } from '../run/lease.ts'
import type { RunOptions } from '../run/options.ts'
import { type Outcome, type SyncResult, selectionWarnings, statusWarning } from '../run/outcome.ts'
import { CLEANUP_TIMEOUT_MS, outcomeFromError } from '../run/outcome-from-error.ts'
import { type Progress, type RunProgress, startProgress } from '../run/progress.ts'
import { retryLost } from '../run/retry-lost.ts'
import type { Follower } from '../search/follow-import.ts'
import { analyzeTables } from '../store/analyze-tables.ts'
import { deleteOrphans } from '../store/delete-orphans.ts'
import { finishSource } from '../store/finish-source.ts'
import { pruneChanges } from '../store/prune-changes.ts'
import { readSource } from '../store/read-source.ts'
import { recordCheck } from '../store/record-check.ts'
import { recordEarlyEnd, recordHanging } from '../store/record-early-end.ts'
import { recordUnfinishedRun } from '../store/record-unfinished-run.ts'
import { replaceFiles } from '../store/replace-files.ts'
import { type SourceRecord, type StartedRun, startRun } from '../store/start-run.ts'
import { findTarget } from './find-target.ts'
import { DEFAULT_MAX_FILES, type Head, type Source, sourceRecord, validateSource } from './source.ts'

export interface SyncOptions extends RunOptions {
  /** First break a lease that was not refreshed for that long. */
  readonly breakLockIfStaleMs?: number | undefined
  /** Writes every page again, whatever it holds. If it is stopped, the next run goes on with it. */
  readonly full?: boolean | undefined
  /** Goes on where more than half of a source, or all of it, would be deleted. */
  readonly allowMassDelete?: boolean | undefined
  /** Whether the search index is brought up to date at the end, as far as the budget allows; it is by default. */
  readonly search?: boolean | undefined
  /** For how long those who follow changes can be told what was deleted; 30 days by default. */
  readonly keepDeletedMs?: number | undefined
  /** Folder for clones of repositories that are on a server; `.tidemark/clones` by default. */
  readonly clones?: string | undefined
  /** What {@link findHead} is finding already, with the same `clones`; not for a dry run. */
  readonly head?: Promise<Head> | undefined
  /** Called once, with all that a dry run would do. */
  readonly onPlan?: ((changes: Iterable<PlannedChange>) => void) | undefined
  /** Called for each phase, and for each batch that is in. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** What every step of a run needs. */
interface Run {
  readonly db: Database
  readonly source: Source
  /** What the database remembers of it. */
  readonly record: SourceRecord
  readonly options: SyncOptions
  readonly budget: Budget
  readonly progress: RunProgress
  /** What writes the search index since this run imports; null where nothing does. */
  follower: Follower | null
}

/**
 * Makes the pages of a source equal to the Markdown files of its ref, or as many of them as the budget allows; the
 * next run goes on from there.
 *
 * ```ts
 * const result = await syncSource(db, { id: 'docs', repo: '/srv/docs.git', ref: 'main' }, { budgetMs: 60_000 })
 * if (result.status === 'partial') console.log(`${result.filesRemaining} files are left for the next run`)
 * ```
 *
 * @param db opened and migrated.
 * @returns how it ended; what goes wrong on the way is a `failed` result, not an exception.
 * @throws {SyncError} `BAD_SOURCE` before anything is touched.
 */
export async function syncSource(db: Database, source: Source, options: SyncOptions = {}): Promise<SyncResult> {
  validateSource(source)
  using budget = startBudget(options)
  const progress = startProgress(source.id, (at) => {
    budget.recordActivity()
    options.onProgress?.(at)
  })
  const record = sourceRecord(source)
  const run: Run = { db: withSignal(db, budget.signal), source, record, options, budget, progress, follower: null }
  let outcome: Outcome
  try {
    outcome = await syncToTarget(run)
    await updateIndex(run, outcome)
  } catch (error) {
    outcome = outcomeFromError(error, source.id, budget.signal, progress.warnings)
    await recordAfterwards(run, outcome).catch(() => {})
  }
  if (outcome.status === 'partial' && outcome.reason === 'pull_timeout') outcome = await failWhereHanging(run, outcome)
  return progress.result(outcome)
}

/** The whole run, from the ref to the bookmark. */
async function syncToTarget(run: Run): Promise<Outcome> {
  const { db, source, record, options, budget, progress } = run
  const { breakLockIfStaleMs, waitMs, dryRun = false, full = false } = options
  const { id } = source
  const key = leaseKey(id)

  budget.signal.throwIfAborted()
  const origin = await findTarget(run)
  // Also where there is nothing new: whoever asks for it has been told of that holder.
  if (breakLockIfStaleMs && !dryRun) await db.locks.break(key, { maxAgeMs: breakLockIfStaleMs, signal: budget.signal })
  if (!dryRun && (await checkUpToDate(run, db))) return { status: 'up_to_date' }
  await loadPipeline()
  if (dryRun) {
    progress.bookmark = (await readSource(db, id))?.bookmark ?? null
    const { plan } = await preparePlan(run, { db, signal: budget.signal }, origin, null)
    progress.countPlan(plan)
    options.onPlan?.(plannedChanges(plan))
    return { status: 'dry_run' }
  }

  const acquired = await progress.phase('lock', () => acquireLease(db, key, { waitMs, signal: budget.signal }))
  if ('status' in acquired) return acquired
  await using held = acquired
  // Again: another run may have ended since, and after a wait the ref may have moved.
  if (waitMs) progress.target = await progress.phase(origin.phase, () => origin.resolveCommit(held.signal))
  if (await checkUpToDate(run, held.db)) return { status: 'up_to_date' }

  const started = await startRun(held, record, { from: progress.bookmark, to: progress.target!, full })
  try {
    let lost = false
    return await retryLost(held.signal, () => {
      // What was on its way then is in, or not: the pages are compared anew, as after a run that was killed.
      const since = lost ? { ...started, unfinished: true, indexed: false } : started
      lost = true
      return importChanges(run, held, origin, since)
    })
  } catch (error) {
    return await recordUnfinished(
      run,
      held,
      started.id,
      outcomeFromError(error, source.id, held.signal, progress.warnings),
    )
  }
}

/** Writes what differs, and moves the bookmark; can be done again after it was cut off anywhere. */
async function importChanges(run: Run, held: Held, origin: Origin, started: StartedRun): Promise<Outcome> {
  const { source, record, options, budget, progress } = run
  const { id } = source
  const from = progress.bookmark
  const { applyPlan } = await loadPipeline()
  progress.unindexedPaths = started.indexed ? [] : 'all'
  const { plan, folder, violation } = await preparePlan(run, held, origin, started)
  if (violation !== null)
    return await recordUnfinished(run, held, started.id, { status: 'blocked', reason: 'mass_delete' })
  const failedBefore = started.unfinished ? plan.stillQuarantined : 0
  const { fetchBlobs } = origin
  const status = from === null ? 'first_sync' : 'synced'
  const commit = progress.target!
  const { nothingSelected } = progress
  const follower = from === null ? await followFirstImport(run, plan.counts.filesImported) : null
  try {
    await progress.phase('apply', async () => {
      if (started.rewriteBefore !== null) await deleteOrphans(held, id, progress.report)
      await applyPlan({ plan, sourceId: id, folder, fetchBlobs, failedBefore, held, budget, progress, follower })
      await replaceFiles(held, id, { files: plan.otherFiles, changed: plan.changed }, progress.report)
    })
    await finishSource(held, record, { id: started.id, commit, status, counts: progress.counts(), nothingSelected })
    progress.bookmark = commit
    // What is left of it the next run finds again.
    await pruneChanges(held.db, id, options.keepDeletedMs).catch(() => {})
    if (from === null) await analyzeTables(held.db, progress.counts().filesImported)
  } catch (error) {
    await follower?.giveUp()
    throw error
  }
  run.follower = follower
  return { status }
}

/** Fewer are in before anyone looks for them. */
const MIN_PAGES_TO_FOLLOW = 1_000

/** Has a long first import searched while it is under way. Nobody can but this process where the database is embedded. */
async function followFirstImport({ db, record, options, budget, progress }: Run, pages: number) {
  if (options.search === false || pages < MIN_PAGES_TO_FOLLOW || db.engine === 'pglite') return null
  const { followImport } = await import('../search/follow-import.ts')
  const { id: sourceId, language } = record
  return followImport(db, { sourceId, language, paths: null, budget, onBatch: progress.countIndexed })
}

/**
 * Loads what only a run with something to do needs; most find nothing new. In steps: what is loaded at once holds the
 * event loop until all of it is.
 */
async function loadPipeline() {
  await import('../parse/front-matter.ts')
  await setImmediate()
  await import('../parse/page.ts')
  await setImmediate()
  await import('./plan-source.ts')
  return import('./apply.ts')
}

/** Later than any page was written, and within what Postgres can hold. */
const END_OF_TIME = new Date('9999-01-01T00:00:00Z')

/** Fetches the target and compares it with the pages; warns of what a person must allow. `started` by a dry run is null. */
async function preparePlan(
  { source, options: { full, retryQuarantined = false, allowMassDelete }, progress }: Run,
  { db, signal }: Pick<Held, 'db' | 'signal'>,
  origin: Origin,
  started: StartedRun | null,
) {
  const { folder, commit } = await progress.phase(origin.phase, () => origin.prepare(signal))
  progress.target = commit
  const { id: sourceId, subpath, include, exclude, extensions } = source
  const rewriteBefore = started ? started.rewriteBefore : full ? END_OF_TIME : null
  // The pages are known to equal the tree of the bookmark, and it is there to be compared with. Where there are none, all
  // of the tree may have been named better since.
  const { bookmark, nothingSelected } = progress
  const settled = started?.sameSettings && !started.unfinished && nothingSelected === null
  const clean = settled && rewriteBefore === null && !retryQuarantined
  const diffBase = clean && bookmark !== null && (await hasTree(folder, bookmark, signal)) ? bookmark : null
  const selection = { subpath, include, exclude, extensions }
  const { maxFiles = DEFAULT_MAX_FILES } = source
  const common = { db, sourceId, folder, commit, maxFiles, selection, signal }
  const comparison = { ...common, retryQuarantined, diffBase, rewriteBefore }
  const { planSource } = await import('./plan-source.ts')
  const plan = await progress.phase('plan', () => planSource(comparison))
  progress.setPlan(plan)
  const violation = started && allowMassDelete ? null : guardViolation(plan)
  if (violation !== null) {
    // What selects nothing is most likely the reason.
    const [selection] = plan.nothingSelected?.includes('\n') ? selectionWarnings(plan.nothingSelected, sourceId) : []
    const why = selection && { message: `${violation} ${selection.message}`, hint: selection.hint! }
    progress.warnings.push({ code: 'mass_delete', message: violation, ...why })
  }
  return { plan, folder, violation }
}

/** Whether the target is in already and no option asks for more; reads the bookmark and the state of the index. */
async function checkUpToDate({ record, options, budget, progress }: Run, db: Database): Promise<boolean> {
  const check = await retryLost(budget.signal, () => recordCheck(db, record, progress.target!, budget.signal))
  const { bookmark, upToDate, indexed, nothingSelected } = check
  progress.lookedAt = performance.now()
  progress.bookmark = bookmark
  progress.unindexedPaths = indexed ? null : 'all'
  progress.nothingSelected = nothingSelected
  if (!upToDate || options.full || options.retryQuarantined) return false
  progress.filesRemaining = 0
  progress.warnings.push(...selectionWarnings(nothingSelected, record.id))
  return true
}

/** Records how a run ended that did not finish its source. */
async function recordUnfinished({ db, source, progress }: Run, { lease }: Held, runId: string, outcome: Outcome) {
  const soon = withSignal(db, AbortSignal.timeout(CLEANUP_TIMEOUT_MS))
  // The next run finds out by comparing; a record that can't be written must not hide how this one ended.
  const detail = outcome.status === 'failed' ? outcome.error : statusWarning(outcome, progress.warnings)
  const end = { outcome, detail, counts: progress.counts() }
  await recordUnfinishedRun({ db: soon, lease }, source.id, runId, end).catch(() => {})
  return outcome
}

/** After a run that had no plan: each but a dry one leaves a record, and "up_to_date" must not stay after a look that failed. */
async function recordAfterwards({ db, source, options, progress }: Run, outcome: Outcome): Promise<void> {
  const soon = withSignal(db, AbortSignal.timeout(CLEANUP_TIMEOUT_MS))
  if (options.dryRun) {
    progress.bookmark ??= (await readSource(soon, source.id))?.bookmark ?? null
    return
  }
  const { lookedAt, startedAt } = progress
  const [lookedMsAgo, elapsedMs] = [performance.now() - lookedAt, performance.now() - startedAt]
  const bookmark = await recordEarlyEnd(soon, source.id, outcome, { lookedMsAgo, elapsedMs })
  if (outcome.status === 'failed' || progress.bookmark === null) progress.bookmark = bookmark
}

/** A server that hangs run after run is a fault; by itself none of them knows. */
async function failWhereHanging({ db, source }: Run, outcome: Outcome): Promise<Outcome> {
  const soon = withSignal(db, AbortSignal.timeout(CLEANUP_TIMEOUT_MS))
  const message = 'its server did not answer within the budget, in this run and those before it'
  const hint = 'Check the server and the network, or give it more time with --timeout.'
  const hanging = await recordHanging(soon, source.id, { message, hint }).catch(() => false)
  return hanging
    ? { status: 'failed', reason: 'pull_timeout', error: { code: 'FETCH_TIMEOUT', message, hint } }
    : outcome
}

const COMPLETE = new Set<Outcome['status']>(['up_to_date', 'synced', 'first_sync'])

/** Has the search index follow the pages that are in, with what is left of the budget. */
async function updateIndex(run: Run, { status }: Outcome): Promise<void> {
  const { db, record, options, budget, progress, follower } = run
  const { unindexedPaths, countIndexed: onBatch } = progress
  if (!COMPLETE.has(status) || options.search === false || unindexedPaths === null) return
  const { updateSearchIndex } = await import('../search/update-index.ts')
  const paths = unindexedPaths === 'all' ? null : unindexedPaths
  const update = { sourceId: record.id, language: record.language, paths, budget, onBatch }
  const problem = await progress.phase('search', async () => {
    // What kept a follower from it may be over by now.
    if (follower && (await follower.finish()) === null) return null
    return updateSearchIndex(db, update)
  })
  if (problem !== null) progress.warnings.push({ code: 'search_behind', message: problem })
}
