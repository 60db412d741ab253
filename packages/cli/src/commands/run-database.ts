import type { Database, Outcome, Warning } from '@tidemark/sync-core'
import type { Call, DatabaseMode } from '../call.ts'

/** How the run of each source ended where the database was not had in time. */
export interface NotBegun {
  readonly outcome: Extract<Outcome, { status: 'partial' | 'busy' }>
  readonly warnings: readonly Warning[]
}

/** The options of a call that runs sources. */
interface RunTimes {
  readonly signal: AbortSignal
  readonly budgetMs: number | undefined
  readonly waitMs: number | undefined
}

const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Opens the database for runs of sources. A server without a free connection is waited for as long as a source may
 * take, a process that has an embedded database as long as is asked.
 *
 * @param notBegun makes the result in the place of the work's.
 */
export async function withRunDatabase<T>(
  call: Call,
  mode: DatabaseMode,
  { signal, budgetMs, waitMs }: RunTimes,
  work: (db: Database) => Promise<T>,
  notBegun: (ending: NotBegun) => T,
): Promise<T> {
  const { DatabaseInUseError } = await import('@tidemark/sync-core')
  const timeout = budgetMs === undefined ? null : AbortSignal.timeout(Math.min(budgetMs, MAX_TIMER_MS))
  const opening = timeout === null ? signal : AbortSignal.any([signal, timeout])
  try {
    return await call.withDatabase(mode, work, { signal: opening, waitMs })
  } catch (error) {
    if (error instanceof DatabaseInUseError) {
      const { message, holder } = error
      const { host, pid, heldForMs } = holder
      const outcome = { status: 'busy', holder: { host, pid, heldForMs, sinceRefreshMs: null } } as const
      return notBegun({ outcome, warnings: [{ code: 'database_in_use', message }] })
    }
    if (!signal.aborted && error !== timeout?.reason) throw error
    const reason = signal.aborted ? 'cancelled' : 'timeout'
    return notBegun({ outcome: { status: 'partial', reason }, warnings: [] })
  }
}
