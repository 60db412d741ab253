import { join } from 'node:path'
import type { Lease } from '@tidemark/lock'
import { type Database, within } from '../database/database.ts'
import type { Origin } from '../git/origin.ts'
import type { Repository } from '../git/repository.ts'
import { massDeletion } from '../plan/guard.ts'
import { makePlan, type Planning as PlanningState } from '../plan/plan.ts'
import { type PlannedChange, plannedChanges } from '../plan/planned-changes.ts'
import { checkSource } from '../store/check-source.ts'
import { endRun } from '../store/end-run.ts'
import { finishSource } from '../store/finish-source.ts'
import { noteFailure } from '../store/note-failure.ts'
import { readSource } from '../store/read-source.ts'
import { type StartedRun, startRun } from '../store/start-run.ts'
import { applyPlan } from './apply.ts'
import { type Budget, startBudget } from './budget.ts'
import { endingOf } from './ending-of.ts'
import { giveBack } from './give-back.ts'
import type { Ending, SyncResult } from './result.ts'
import { checkedSource, fingerprintOf, originOf, type Source, shownRepo } from './source.ts'
import { leaseKey, takeLease } from './take-lease.ts'
import { type Progress, startTally, type Tally } from './tally.ts'
import { TooManyFailures } from './too-many-failures.ts'

export interface SyncOptions {
  /** Stops the run as `partial` with the reason `cancelled`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the run stops as `partial`, waiting for the lease included. Without it: until done. */
  readonly budgetMs?: number | undefined
  /** How long to wait for a lease that another process has before the source is `busy`; not at all by default. */
  readonly waitMs?: number | undefined
  /** First break a lease that was not refreshed for that long. */
  readonly breakLockIfStaleMs?: number | undefined
  /** Counts what would be done; writes nothing and takes no lease. */
  readonly dryRun?: boolean | undefined
  /** Writes every page again, whatever it holds. If it is stopped, the next run goes on with it. */
  readonly full?: boolean | undefined
  /** Tries again what is in quarantine. */
  readonly retryQuarantined?: boolean | undefined
  /** Goes on where more than half of a source, or all of it, would be deleted. */
  readonly allowMassDelete?: boolean | undefined
  /** Folder for clones of repositories that are on a server; `.tidemark/clones` by default. */
  readonly clones?: string | undefined
  /** Stops the run as `partial` when nothing has moved for that long; 5 minutes by default. */
  readonly stallMs?: number | undefined
  /** Told, once, of all that a dry run would do. */
  readonly onPlan?: ((changes: Iterable<PlannedChange>) => void) | undefined
  /** Told of each phase, and of each batch that is in. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
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
export async function syncSource(
  db: Database,
  source: Source,
  options: SyncOptions = {},
): Promise<SyncResult> {
  checkedSource(source)
  const { budgetMs, stallMs = STALL_MS, signal: caller, onProgress } = options
  using budget = startBudget({ budgetMs, stallMs, caller })
  const tally = startTally(source.id, (progress) => {
    budget.moved()
    onProgress?.(progress)
  })
  const context = { db: within(db, budget.signal), source, options, budget, tally }
  try {
    return tally.result(await run(context))
  } catch (error) {
    const ending = endingOf(error, budget.signal)
    await lookBack(context, ending).catch(() => {})
    return tally.result(ending)
  }
}

const STALL_MS = 5 * 60_000
const CLONES = '.tidemark/clones'

/** What may still be written when a run has been stopped: little, and a database that is gone is not waited for. */
const AFTERWARDS_MS = 1_000

interface Run {
  readonly db: Database
  readonly source: Source
  readonly options: SyncOptions
  readonly budget: Budget
  readonly tally: Tally
}

async function run(context: Run): Promise<Ending> {
  const { db, source, options, budget, tally } = context
  const { signal } = budget
  signal.throwIfAborted()
  const clones = options.clones ?? CLONES
  // A dry run has no lease, so it keeps out of the clone that the holder of the lease may be fetching into.
  const origin = originOf(source, options.dryRun ? join(clones, 'dry-run') : clones)
  tally.target = await tally.phase(origin.phase, () => origin.head(signal))
  if (options.dryRun) return await dryRun(context, origin)
  if (await nothingNew(context)) return { status: 'up_to_date' }

  const { breakLockIfStaleMs, waitMs } = options
  const taken = await tally.phase('lock', async () => {
    if (breakLockIfStaleMs)
      await db.locks.break(leaseKey(source.id), { maxAgeMs: breakLockIfStaleMs, signal })
    return takeLease(db, source.id, waitMs, signal)
  })
  if ('status' in taken) return taken
  try {
    return await runUnderLease(context, origin, taken)
  } finally {
    await giveBack(taken)
  }
}

async function dryRun(context: Run, origin: Origin): Promise<Ending> {
  const { db, source, options, budget, tally } = context
  const { signal } = budget
  tally.bookmark = (await readSource(db, source.id))?.bookmark ?? null
  const { repository, commit } = await tally.phase(origin.phase, () => origin.open(signal))
  tally.target = commit
  const rewriteBefore = options.full ? END_OF_TIME : null
  const plan = await planFor(context, { repository, commit, since: null, rewriteBefore, signal })
  tally.wouldStore(plan)
  options.onPlan?.(plannedChanges(plan))
  const amiss = massDeletion(plan)
  if (amiss !== null) tally.warnings.push({ code: 'mass_delete', message: amiss })
  return { status: 'dry_run' }
}

async function runUnderLease(outer: Run, origin: Origin, lease: Lease): Promise<Ending> {
  const { source, options, budget, tally } = outer
  const signal = AbortSignal.any([budget.signal, lease.signal])
  const db = within(outer.db, signal)
  const context = { ...outer, db }
  // Again: another run may have ended since, and after a wait the ref may have moved.
  if (options.waitMs) tally.target = await tally.phase(origin.phase, () => origin.head(signal))
  if (await nothingNew(context)) return { status: 'up_to_date' }

  const { id, ref } = source
  const from = tally.bookmark
  const fingerprint = fingerprintOf(source)
  const about = {
    source: { id, ref, fingerprint, repo: shownRepo(source) },
    from,
    to: tally.target!,
    full: options.full ?? false,
  }
  const started = await startRun(db, lease, about)
  try {
    const { repository, commit } = await tally.phase(origin.phase, () => origin.open(signal))
    tally.target = commit
    const since = await comparableWith({ context, origin, repository, from, started, signal })
    const { rewriteBefore, unfinished } = started
    const plan = await planFor(context, { repository, commit, since, rewriteBefore, signal })
    const amiss = options.allowMassDelete ? null : massDeletion(plan)
    if (amiss !== null) {
      tally.warnings.push({ code: 'mass_delete', message: amiss })
      return await ended(context, lease, started.id, { status: 'blocked', reason: 'mass_delete' })
    }
    const failedBefore = unfinished ? plan.counts.setAsideStill : 0
    const { read: onRead, stored: onStored } = tally
    await tally.phase('apply', () =>
      applyPlan({
        db,
        lease,
        sourceId: id,
        repository,
        bring: origin.bring,
        plan,
        failedBefore,
        budget,
        signal,
        onRead,
        onStored,
      }),
    )
    const status = from === null ? 'first_sync' : 'synced'
    const counts = tally.counts()
    await finishSource(db, lease, { source: { id, fingerprint }, runId: started.id, commit, status, counts })
    tally.bookmark = commit
    return { status }
  } catch (error) {
    if (error instanceof TooManyFailures)
      tally.warnings.push({ code: 'too_many_failures', message: error.message })
    return await ended(context, lease, started.id, endingOf(error, signal))
  }
}

interface Comparable {
  readonly context: Run
  readonly origin: Origin
  readonly repository: Repository
  readonly from: string | null
  readonly started: StartedRun
  readonly signal: AbortSignal
}

/** The bookmark, where the pages are known to equal its tree and that tree is there to be compared with. */
async function comparableWith({ context, origin, repository, from, started, signal }: Comparable) {
  const { rewriteBefore, unfinished, sameMaking } = started
  const clean = !unfinished && sameMaking && rewriteBefore === null && !context.options.retryQuarantined
  return from !== null && clean && (await origin.has(repository, from, signal)) ? from : null
}

/** Notes how a run ended that did not finish its source. */
async function ended(
  { db, source, tally }: Run,
  lease: Lease,
  runId: string,
  ending: Ending,
): Promise<Ending> {
  const reason = 'reason' in ending ? ending.reason : null
  const end = { sourceId: source.id, runId, status: ending.status, reason, counts: tally.counts() }
  // The next run finds out by comparing; a record that can't be written must not hide how this one ended.
  await endRun(within(db, AbortSignal.timeout(AFTERWARDS_MS)), lease, end).catch(() => {})
  return ending
}

/** After a run that was stopped or has failed: a look that failed must not leave "up_to_date" standing. */
async function lookBack({ db, source, options, tally }: Run, { status }: Ending): Promise<void> {
  const soon = within(db, AbortSignal.timeout(AFTERWARDS_MS))
  if (status === 'failed' && !options.dryRun) tally.bookmark = await noteFailure(soon, source.id)
  else if (tally.bookmark === null) tally.bookmark = (await readSource(soon, source.id))?.bookmark ?? null
}

type Planning = Pick<Run, 'db' | 'source' | 'options' | 'tally'>

async function planFor(
  { db, source, options, tally }: Planning,
  state: Pick<PlanningState, 'repository' | 'commit' | 'since' | 'rewriteBefore' | 'signal'>,
) {
  const { id: sourceId, subpath, include, exclude } = source
  const selection = { subpath, include, exclude }
  const retryQuarantined = options.retryQuarantined ?? false
  const plan = await tally.phase('plan', () =>
    makePlan({ db, sourceId, selection, retryQuarantined, ...state }),
  )
  tally.planned(plan)
  return plan
}

/** Whether the target is in already and nothing more is asked for; tells the tally where the bookmark is. */
async function nothingNew({ db, source, options, tally }: Planning): Promise<boolean> {
  const about = { id: source.id, fingerprint: fingerprintOf(source) }
  const { bookmark, upToDate } = await checkSource(db, about, tally.target!)
  tally.bookmark = bookmark
  if (!upToDate || options.full || options.retryQuarantined) return false
  tally.filesRemaining = 0
  return true
}

/** Later than any page was written, and within what Postgres can hold. */
const END_OF_TIME = new Date('9999-01-01T00:00:00Z')
