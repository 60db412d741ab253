import { stepForSource } from './setting-step.ts'

/** Why a run stopped before it was done. */
export type StopReason = 'timeout' | 'pull_timeout' | 'cancelled' | 'lease_lost' | 'stalled'

/** What a person must decide before a run goes on. */
export type BlockReason = 'mass_delete' | 'too_many_files'

/** What a run spends its time on. */
export type Phase = 'lock' | 'fetch' | 'plan' | 'apply' | 'search'

/** @asType integer */
export type Count = number

export type Counts = Record<`files${'Imported' | 'Updated' | 'Renamed' | 'Deleted' | 'Quarantined'}`, Count>

export function noCounts(): Counts {
  return { filesImported: 0, filesUpdated: 0, filesRenamed: 0, filesDeleted: 0, filesQuarantined: 0 }
}

export const noPhases = (): Record<Phase, number> => ({ lock: 0, fetch: 0, plan: 0, apply: 0, search: 0 })

interface Common extends Readonly<Counts> {
  /** Id of the source. */
  readonly source: string
  /** The commit of which everything is in, after this run; null before the first sync is complete. */
  readonly bookmark: string | null
  /** The commit that the run worked towards; null where it did not come to know it. */
  readonly target: string | null
  /** What is left for the next run; null where the run stopped before its plan was made. */
  readonly filesRemaining: Count | null
  readonly blobsRead: Count
  readonly elapsedMs: number
  /** Milliseconds spent in each phase. */
  readonly phases: Readonly<Record<Phase, number>>
  readonly warnings: readonly Warning[]
}

/** What a person should know of, although it is no fault. */
export interface Warning {
  readonly code: string
  readonly message: string
  /** What to do about it, where that is known. */
  readonly hint?: string
}

const CHANGE_SELECTION = `Change what of the repository it selects: tidemark sources set <id> --subpath <folder>`

/** Warns of a source that has no file of its commit: why, and on a second line the step that selects some. */
export function selectionWarnings(nothingSelected: string | null, source: string): Warning[] {
  if (nothingSelected === null) return []
  const [, message = nothingSelected, step = CHANGE_SELECTION] = /^(.*)\n(.*)$/s.exec(nothingSelected) ?? []
  return [{ code: 'nothing_selected', message, hint: stepForSource(step, source) }]
}

export interface ResultError {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** How a run ended, with what only that ending has. */
export type Outcome =
  | { readonly status: 'up_to_date' | 'synced' | 'first_sync' | 'dry_run' }
  | { readonly status: 'partial'; readonly reason: StopReason }
  | { readonly status: 'blocked'; readonly reason: BlockReason }
  | { readonly status: 'blocked_by_failures' }
  | { readonly status: 'busy'; readonly holder: Holder }
  | { readonly status: 'failed'; readonly reason: string; readonly error: ResultError }

/** How the sync of one source ended. */
export type SyncResult = Common & Outcome

export type SyncStatus = SyncResult['status']

/** How a run ended, as the database has it: also one that was killed. */
export type RunStatus = SyncStatus | 'killed'

/** Who has the lease of a busy source. */
export interface Holder {
  readonly host: string | null
  readonly pid: Count | null
  readonly heldForMs: number | null
  readonly sinceRefreshMs: number | null
}

/** The warning that says what a status is for. */
export function statusWarning(outcome: Outcome, warnings: readonly Warning[]): Warning | undefined {
  const codes: Partial<Record<SyncStatus, string>> = {
    blocked_by_failures: 'too_many_failures',
    busy: 'database_in_use',
  }
  const code = outcome.status === 'blocked' ? outcome.reason : codes[outcome.status]
  return warnings.find((warning) => warning.code === code)
}

/** The result of a source whose run could not return one itself. */
export function emptyResult(
  source: string,
  outcome: Extract<Outcome, { status: 'partial' | 'busy' | 'failed' }>,
  elapsedMs = 0,
): SyncResult {
  const nothing = { bookmark: null, target: null, filesRemaining: null, blobsRead: 0 }
  return { source, ...outcome, ...nothing, ...noCounts(), elapsedMs, phases: noPhases(), warnings: [] }
}
