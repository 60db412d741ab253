import { isRemote } from '../git/address.ts'
import type { Origin } from '../git/origin.ts'
import { ABORTED, raceAbort } from '../race-abort.ts'
import type { Budget } from '../run/budget.ts'
import { pullTimeout } from '../run/outcome-from-error.ts'
import type { RunProgress } from '../run/progress.ts'
import { type Head, openOrigin, type Source } from './source.ts'

interface Finding {
  readonly source: Source
  readonly options: {
    readonly head?: Promise<Head> | undefined
    readonly clones?: string | undefined
    readonly dryRun?: boolean | undefined
  }
  readonly budget: Budget
  readonly progress: RunProgress
}

/** Finds the commit to sync to, unless that was done already; of one that failed it is told why. */
export async function findTarget({ source, options, budget, progress }: Finding): Promise<Origin> {
  const { head, clones, dryRun } = options
  const { signal } = budget
  if (head) {
    const remote = isRemote(source.repo)
    const waiting = () =>
      raceAbort(
        head.catch(() => null),
        signal,
        0,
      )
    const found = await progress.phase(remote ? 'fetch' : 'plan', waiting)
    if (found === ABORTED) throw remote ? pullTimeout(signal.reason) : signal.reason
    if (found) {
      progress.target = found.commit
      return found.origin
    }
  }
  // A dry run has no lease, so it stays out of the clone that the holder of the lease may be fetching into.
  const origin = await openOrigin(source, clones, dryRun)
  progress.target = await progress.phase(origin.phase, () => origin.resolveCommit(signal))
  return origin
}
