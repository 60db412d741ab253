import { makePlan, type Plan, type Planning } from '../plan/plan.ts'
import type { Run } from './run.ts'

/** Makes the plan of a run, and tells its tally. */
export async function planFor(
  { db, source, options, tally }: Run,
  state: Pick<Planning, 'repository' | 'commit' | 'since' | 'rewriteBefore' | 'signal'>,
): Promise<Plan> {
  const { id: sourceId, subpath, include, exclude } = source
  const selection = { subpath, include, exclude }
  const retryQuarantined = options.retryQuarantined ?? false
  const plan = await tally.phase('plan', () => makePlan({ db, sourceId, selection, retryQuarantined, ...state }))
  tally.planned(plan)
  return plan
}
