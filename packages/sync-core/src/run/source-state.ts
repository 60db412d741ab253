import { leaseProblem, type Problem, statusProblem } from './next-steps.ts'
import { type Count, type SyncStatus, selectionWarnings, type Warning } from './outcome.ts'

/** Where a source stands, as the database knows it. Ages are by the clock of the database, in milliseconds. */
export interface SourceStatus {
  readonly id: string
  readonly bookmark: string | null
  readonly dirty: boolean
  readonly lastStatus: SyncStatus | null
  readonly lastCheckedAt: Date | null
  readonly lastSyncedAt: Date | null
  readonly sinceCheckMs: number | null
  /** For how long a newer commit is known than the one that is in; null where none is. */
  readonly behindMs: number | null
  readonly quarantined: Count
  /** Why its bookmark has no file of it; null where it has some. */
  readonly nothingSelected: string | null
  readonly lastRun: {
    readonly startedAt: string
    /** Null while it runs, and for one that was killed. */
    readonly finishedAt: string | null
    readonly status: SyncStatus | null
    readonly reason: string | null
  } | null
  /** Who syncs it, or has died over it; `expiresInMs` is negative where anyone may take it. */
  readonly lease: {
    readonly host: string
    readonly pid: Count
    readonly heldForMs: number
    readonly sinceRefreshMs: number | null
    readonly expiresInMs: number
  } | null
}

/** The commit that the ref of a source names now, or why that cannot be known. */
export type RemoteHead = { readonly commit: string } | { readonly problem: Problem }

export type SourceState = 'syncing' | 'unreachable' | 'never_synced' | 'behind' | 'up_to_date'

/** What a source is, compared with its ref, as `status` prints it. */
export interface SourceDescription {
  readonly state: SourceState
  readonly bookmark: string | null
  readonly target: string | null
  /** Null where the ref cannot be read. */
  readonly behind: boolean | null
  /** For how long at most it has not been what its ref is; null where it is, or was never looked at. */
  readonly behindMs: number | null
  readonly lastStatus: SyncStatus | null
  readonly quarantined: Count
  readonly warnings: readonly Warning[]
  readonly problem: string | null
  /** The command or step that solves the problem. */
  readonly fix: string | null
}

export function describeSource(status: SourceStatus, head: RemoteHead): SourceDescription {
  const { bookmark, dirty, lastStatus, quarantined, nothingSelected } = status
  const target = 'commit' in head ? head.commit : null
  const behind = target === null ? null : target !== bookmark || dirty
  // A ref that has moved since it was last looked at has done so after that.
  const behindMs = behind === false ? null : (status.behindMs ?? status.sinceCheckMs)
  // A source that is stuck can be looked at once its repository can be read.
  const problem = 'problem' in head ? head.problem : (holderProblem(status) ?? sourceProblem(status))
  return {
    state: sourceState(status, behind),
    bookmark,
    target,
    behind,
    behindMs: behindMs === null ? null : Math.round(behindMs),
    lastStatus,
    quarantined,
    warnings: selectionWarnings(nothingSelected),
    problem: problem?.message ?? null,
    fix: problem?.nextStep ?? null,
  }
}

function sourceState({ lease, bookmark }: SourceStatus, behind: boolean | null): SourceState {
  if (lease !== null && lease.expiresInMs > 0) return 'syncing'
  if (behind === null) return 'unreachable'
  if (bookmark === null) return 'never_synced'
  return behind ? 'behind' : 'up_to_date'
}

/** What is wrong with the lease of a source: its holder no longer shows life; null where nothing is. */
export function holderProblem({ id, lease }: Pick<SourceStatus, 'id' | 'lease'>): Problem | null {
  return lease !== null && lease.expiresInMs > 0 ? leaseProblem(lease, id, 'sync') : null
}

/** What is wrong with a source by how its last run ended; null where nothing is. */
export function sourceProblem({
  id,
  lastStatus,
  lastRun,
}: Pick<SourceStatus, 'id' | 'lastStatus' | 'lastRun'>): Problem | null {
  const stuck = lastStatus === 'blocked' || lastStatus === 'blocked_by_failures' || lastStatus === 'failed'
  return stuck ? statusProblem({ status: lastStatus, reason: lastRun?.reason ?? null }, id, 'sync') : null
}
