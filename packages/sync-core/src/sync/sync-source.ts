import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { openRepository, type Repository, resolveRef } from '../git/repository.ts'
import { makePlan } from '../plan/plan.ts'
import { checkSource } from '../store/check-source.ts'
import { endRun } from '../store/end-run.ts'
import { finishSource } from '../store/finish-source.ts'
import { readSource } from '../store/read-source.ts'
import { startRun } from '../store/start-run.ts'
import { applyPlan } from './apply.ts'
import { type Budget, startBudget } from './budget.ts'
import { endingOf } from './ending-of.ts'
import type { Ending, SyncResult } from './result.ts'
import { checkedSource, fingerprintOf, type Source } from './source.ts'
import { takeLease } from './take-lease.ts'
import { type Progress, startTally, type Tally } from './tally.ts'

export interface SyncOptions {
  /** Stops the run as `partial` with the reason `cancelled`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the run stops as `partial`, waiting for the lease included. Without it: until done. */
  readonly budgetMs?: number | undefined
  /** How long to wait for a lease that another process has before the source is `busy`; not at all by default. */
  readonly waitMs?: number | undefined
  /** Counts what would be done; writes nothing and takes no lease. */
  readonly dryRun?: boolean | undefined
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
  using budget = startBudget(options.budgetMs, options.signal)
  const tally = startTally(source.id, options.onProgress)
  try {
    return tally.result(await run({ db, source, options, budget, tally }))
  } catch (error) {
    return tally.result(endingOf(error, budget.signal))
  }
}

interface Run {
  readonly db: Database
  readonly source: Source
  readonly options: SyncOptions
  readonly budget: Budget
  readonly tally: Tally
}

async function run({ db, source, options, budget, tally }: Run): Promise<Ending> {
  const { signal } = budget
  signal.throwIfAborted()
  const [stored, repository] = await Promise.all([
    readSource(db, source.id),
    openRepository(source.repo, signal),
  ])
  tally.bookmark = stored?.bookmark ?? null
  tally.target = await resolveRef(repository, source.ref, signal)

  if (options.dryRun) {
    tally.wouldStore(await planFor({ db, source, tally }, repository, tally.target, signal))
    return { status: 'dry_run' }
  }
  if (await nothingNew({ db, source, tally }, tally.target)) return { status: 'up_to_date' }

  const taken = await tally.phase('lock', () => takeLease(db, source.id, options.waitMs, signal))
  if ('status' in taken) return taken
  try {
    return await runUnderLease({ db, source, options, budget, tally }, repository, taken)
  } finally {
    // What the run did stands, whether or not the lease can be given back; if not, it expires.
    await taken.release().catch(() => {})
  }
}

async function runUnderLease(
  { db, source, budget, tally }: Run,
  repository: Repository,
  lease: Lease,
): Promise<Ending> {
  const signal = AbortSignal.any([budget.signal, lease.signal])
  // Again, because another run may have ended and the ref may have moved before the lease was ours.
  const from = (await readSource(db, source.id))?.bookmark ?? null
  const commit = await resolveRef(repository, source.ref, signal)
  tally.bookmark = from
  tally.target = commit
  if (await nothingNew({ db, source, tally }, commit)) return { status: 'up_to_date' }

  const runId = await startRun(db, lease, { source, from, to: commit })
  try {
    const plan = await planFor({ db, source, tally }, repository, commit, signal)
    await tally.phase('apply', () =>
      applyPlan({
        db,
        lease,
        sourceId: source.id,
        repository,
        plan,
        budget,
        signal,
        onRead: tally.read,
        onStored: tally.stored,
      }),
    )
    const status = from === null ? 'first_sync' : 'synced'
    await finishSource(db, lease, {
      source: { id: source.id, fingerprint: fingerprintOf(source) },
      runId,
      commit,
      status,
      counts: tally.counts(),
    })
    tally.bookmark = commit
    return { status }
  } catch (error) {
    const ending = endingOf(error, signal)
    const reason = 'reason' in ending ? ending.reason : null
    // The next run finds out by comparing; a record that can't be written must not hide how this one ended.
    await endRun(db, lease, {
      sourceId: source.id,
      runId,
      status: ending.status,
      reason,
      counts: tally.counts(),
    }).catch(() => {})
    return ending
  }
}

type Planning = Pick<Run, 'db' | 'source' | 'tally'>

async function planFor(
  { db, source, tally }: Planning,
  repository: Repository,
  commit: string,
  signal: AbortSignal,
) {
  const plan = await tally.phase('plan', () => makePlan(db, source.id, repository, commit, signal))
  tally.planned(plan)
  return plan
}

async function nothingNew({ db, source, tally }: Planning, commit: string): Promise<boolean> {
  const same = await checkSource(db, { id: source.id, fingerprint: fingerprintOf(source) }, commit)
  if (same) tally.filesRemaining = 0
  return same
}
