import type { PlannedChange } from '../plan/plan.ts'
import type { RunOptions } from '../run/options.ts'
import type { Progress } from '../run/progress.ts'

export interface SyncOptions extends RunOptions {
  /** First break a lease that was not refreshed for that long. */
  readonly breakLockIfStaleMs?: number | undefined
  /** Writes every page again, whatever it holds. If it is stopped, the next run goes on with it. */
  readonly full?: boolean | undefined
  /** Goes on where more than half of a source, or all of it, would be deleted. */
  readonly allowMassDelete?: boolean | undefined
  /** Whether the search index is brought up to date at the end, as far as the budget allows; it is by default. */
  readonly search?: boolean | undefined
  /** Folder for clones of repositories that are on a server; `.tidemark/clones` by default. */
  readonly clones?: string | undefined
  /** Called once, with all that a dry run would do. */
  readonly onPlan?: ((changes: Iterable<PlannedChange>) => void) | undefined
  /** Called for each phase, and for each batch that is in. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}
