import type { PlannedChange } from '../plan/plan.ts'
import type { Progress } from '../run/progress.ts'

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
  /** Whether the search index is brought up to date at the end, as far as the budget allows; it is by default. */
  readonly search?: boolean | undefined
  /** Folder for clones of repositories that are on a server; `.tidemark/clones` by default. */
  readonly clones?: string | undefined
  /** Stops the run as `partial` when nothing has moved for that long; 5 minutes by default. */
  readonly stallMs?: number | undefined
  /** Told, once, of all that a dry run would do. */
  readonly onPlan?: ((changes: Iterable<PlannedChange>) => void) | undefined
  /** Told of each phase, and of each batch that is in. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}
