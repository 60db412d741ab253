import type { Origin } from '../git/origin.ts'
import { massDeletion } from '../plan/guard.ts'
import { plannedChanges } from '../plan/planned-changes.ts'
import type { Outcome } from '../run/outcome.ts'
import { readSource } from '../store/read-source.ts'
import { planFor } from './plan-for.ts'
import type { Run } from './run.ts'

/** Tells what a sync would do; takes no lease and writes nothing. */
export async function dryRun(context: Run, origin: Origin): Promise<Outcome> {
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

/** Later than any page was written, and within what Postgres can hold. */
const END_OF_TIME = new Date('9999-01-01T00:00:00Z')
