import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type Database, within } from '../database/database.ts'
import type { Outcome, SyncResult } from '../run/outcome.ts'
import { outcomeFromError } from '../run/outcome-from-error.ts'
import { noteFailure } from '../store/note-failure.ts'
import { readSource } from '../store/read-source.ts'
import { AFTERWARDS_MS } from './afterwards.ts'
import { startBudget } from './budget.ts'
import { giveBack } from './give-back.ts'
import { nothingNew, type Run } from './run.ts'
import { originOf, type Source, validateSource } from './source.ts'
import type { SyncOptions } from './sync-options.ts'
import { leaseKey, takeLease } from './take-lease.ts'
import { startTally } from './tally.ts'

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
  const { budgetMs, stallMs = STALL_MS, signal: caller, onProgress } = options
  using budget = startBudget({ budgetMs, stallMs, caller })
  const tally = startTally(source.id, (progress) => {
    budget.moved()
    onProgress?.(progress)
  })
  const context = { db: within(db, budget.signal), source, options, budget, tally }
  try {
    const ending = await run(context)
    await searchable(context, ending)
    return tally.result(ending)
  } catch (error) {
    const ending = outcomeFromError(error, budget.signal)
    await lookBack(context, ending).catch(() => {})
    return tally.result(ending)
  }
}

const STALL_MS = 5 * 60_000
const CLONES = '.tidemark/clones'

async function run(context: Run): Promise<Outcome> {
  const { db, source, options, budget, tally } = context
  const { signal } = budget
  signal.throwIfAborted()
  const clones = options.clones ?? CLONES
  // A dry run has no lease, so it keeps out of the clone that the holder of the lease may be fetching into.
  const origin = originOf(source, options.dryRun ? join(clones, 'dry-run') : clones)
  tally.target = await tally.phase(origin.phase, () => origin.head(signal))
  // The rest is loaded where there is something to do: most runs find nothing new.
  if (options.dryRun) return await (await import('./dry-run.ts')).dryRun(context, origin)
  if (await nothingNew(context)) return { status: 'up_to_date' }

  const { breakLockIfStaleMs, waitMs } = options
  const taken = await tally.phase('lock', async () => {
    if (breakLockIfStaleMs) await db.locks.break(leaseKey(source.id), { maxAgeMs: breakLockIfStaleMs, signal })
    return takeLease(db, source.id, waitMs, signal)
  })
  if ('status' in taken) return taken
  try {
    // In pieces: what is loaded at once holds the event loop until all of it is.
    await import('../parse/front-matter.ts')
    await setImmediate()
    await import('../parse/parse-page.ts')
    await setImmediate()
    const { runUnderLease } = await import('./under-lease.ts')
    return await runUnderLease(context, origin, taken)
  } finally {
    await giveBack(taken)
  }
}

/** Has the search index follow the pages that are in. It may be late, so nothing of it makes a run another. */
async function searchable(context: Run, { status }: Outcome): Promise<void> {
  const { options, tally } = context
  if (!COMPLETE.has(status) || options.search === false || tally.unsearched === null) return
  const { refreshIndex } = await import('../search/refresh-index.ts')
  await tally.phase('search', () => refreshIndex(context))
}

const COMPLETE = new Set<Outcome['status']>(['up_to_date', 'synced', 'first_sync'])

/** After a run that was stopped or has failed: a look that failed must not leave "up_to_date" standing. */
async function lookBack({ db, source, options, tally }: Run, { status }: Outcome): Promise<void> {
  const soon = within(db, AbortSignal.timeout(AFTERWARDS_MS))
  if (status === 'failed' && !options.dryRun)
    tally.bookmark = await noteFailure(soon, source.id, performance.now() - tally.lookedAt)
  else if (tally.bookmark === null) tally.bookmark = (await readSource(soon, source.id))?.bookmark ?? null
}
