import type { Lease } from '@tidemark/lock'
import { within } from '../database/database.ts'
import type { Origin } from '../git/origin.ts'
import { hasTree, type Repository } from '../git/repository.ts'
import { massDeletion } from '../plan/guard.ts'
import type { Outcome } from '../run/outcome.ts'
import { outcomeFromError } from '../run/outcome-from-error.ts'
import { deleteOrphans } from '../store/delete-orphans.ts'
import { endRun } from '../store/end-run.ts'
import { finishSource } from '../store/finish-source.ts'
import { type StartedRun, startRun } from '../store/start-run.ts'
import { AFTERWARDS_MS } from './afterwards.ts'
import { applyPlan } from './apply.ts'
import { planFor } from './plan-for.ts'
import { nothingNew, type Run } from './run.ts'
import { fingerprintOf, shownRepo } from './source.ts'
import { TooManyFailures } from './too-many-failures.ts'

/** Brings a source to its target, batch by batch, for as long as the lease and the budget last. */
export async function runUnderLease(outer: Run, origin: Origin, lease: Lease): Promise<Outcome> {
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
    tally.unsearched = started.searched ? [] : 'all'
    const { repository, commit } = await tally.phase(origin.phase, () => origin.open(signal))
    tally.target = commit
    const since = await comparableWith({ context, repository, from, started, signal })
    const { rewriteBefore, unfinished } = started
    const plan = await planFor(context, { repository, commit, since, rewriteBefore, signal })
    const amiss = options.allowMassDelete ? null : massDeletion(plan)
    if (amiss !== null) {
      tally.warnings.push({ code: 'mass_delete', message: amiss })
      return await ended(context, lease, started.id, { status: 'blocked', reason: 'mass_delete' })
    }
    const failedBefore = unfinished ? plan.counts.setAsideStill : 0
    const { read: onRead, stored: onStored, moved: onStep } = tally
    if (rewriteBefore !== null) await tally.phase('apply', () => deleteOrphans(db, lease, id, onStep))
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
    if (error instanceof TooManyFailures) tally.warnings.push({ code: 'too_many_failures', message: error.message })
    return await ended(context, lease, started.id, outcomeFromError(error, signal))
  }
}

interface Comparable {
  readonly context: Run
  readonly repository: Repository
  readonly from: string | null
  readonly started: StartedRun
  readonly signal: AbortSignal
}

/** The bookmark, where the pages are known to equal its tree and that tree is there to be compared with. */
async function comparableWith({ context, repository, from, started, signal }: Comparable) {
  const { rewriteBefore, unfinished, sameMaking } = started
  const clean = !unfinished && sameMaking && rewriteBefore === null && !context.options.retryQuarantined
  return from !== null && clean && (await hasTree(repository, from, signal)) ? from : null
}

/** Notes how a run ended that did not finish its source. */
async function ended({ db, source, tally }: Run, lease: Lease, runId: string, ending: Outcome): Promise<Outcome> {
  const reason = 'reason' in ending ? ending.reason : null
  const end = { sourceId: source.id, runId, status: ending.status, reason, counts: tally.counts() }
  // The next run finds out by comparing; a record that can't be written must not hide how this one ended.
  await endRun(within(db, AbortSignal.timeout(AFTERWARDS_MS)), lease, end).catch(() => {})
  return ending
}
