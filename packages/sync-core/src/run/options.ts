/** Options of every kind of run. */
export interface RunOptions {
  /** Stops the run as `partial` with the reason `cancelled`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which the run stops as `partial`, waiting for the lease included. Without it: until done. */
  readonly budgetMs?: number | undefined
  /** Stops the run as `partial` when nothing has happened for that long; 5 minutes by default. */
  readonly stallMs?: number | undefined
  /** How long to wait for a lease that another process has before the source is `busy`; not at all by default. */
  readonly waitMs?: number | undefined
  /** Counts what would be done; writes nothing and takes no lease. */
  readonly dryRun?: boolean | undefined
  /** Tries again what is in quarantine. */
  readonly retryQuarantined?: boolean | undefined
}
