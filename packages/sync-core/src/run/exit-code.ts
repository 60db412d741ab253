import type { Outcome, SyncResult, SyncStatus } from './outcome.ts'

/** What a status asks of a person: nothing, to know of it, to look at it, to do something. */
export type Severity = 'ok' | 'notice' | 'warning' | 'error'

/** What each status means, worst first. The exit code is that of the command; the Action fails its step by it. */
const STATUSES: Record<SyncStatus, { readonly severity: Severity; readonly exitCode: number }> = {
  failed: { severity: 'error', exitCode: 1 },
  blocked: { severity: 'error', exitCode: 3 },
  blocked_by_failures: { severity: 'error', exitCode: 3 },
  busy: { severity: 'warning', exitCode: 4 },
  partial: { severity: 'notice', exitCode: 0 },
  first_sync: { severity: 'ok', exitCode: 0 },
  synced: { severity: 'ok', exitCode: 0 },
  up_to_date: { severity: 'ok', exitCode: 0 },
  dry_run: { severity: 'ok', exitCode: 0 },
}

type WithStatus = Pick<SyncResult, 'status'>

export const severityFromStatus = (status: SyncStatus): Severity => STATUSES[status].severity

/** The status that several sources have together: the first of them that someone should look at. */
export function worstStatus(results: readonly WithStatus[]): SyncStatus {
  const statuses = new Set(results.map(({ status }) => status))
  return (Object.keys(STATUSES) as SyncStatus[]).find((status) => statuses.has(status)) ?? 'up_to_date'
}

/** With several sources the first that applies: a fault (1), a decision to be made (3), a live holder (4), else 0. */
export function exitCodeFromResults(results: readonly WithStatus[]): number {
  return STATUSES[worstStatus(results)].exitCode
}

/** Of a command that could not begin: a database that another process has is busy (4), all else a fault (1). */
export const exitCodeFromError = (error: unknown) =>
  STATUSES[(error as { code?: unknown } | null)?.code === 'DATABASE_IN_USE' ? 'busy' : 'failed'].exitCode

/** The status with its reason where it has one: `partial (timeout)`. */
export function statusText(outcome: Outcome): string {
  return 'reason' in outcome ? `${outcome.status} (${outcome.reason})` : outcome.status
}
