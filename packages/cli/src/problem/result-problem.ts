import type { EmbedResult, SyncResult } from '@tidemark/sync-core'
import { problemOfBusy } from './lease-problem.ts'
import type { Problem } from './problem.ts'
import { problemOfStatus, type Work } from './status-problem.ts'

/** The warning that says what a status is for. */
const EXPLAINED_BY: Partial<Record<SyncResult['status'], string>> = {
  blocked: 'mass_delete',
  blocked_by_failures: 'too_many_failures',
}

export type Ended = SyncResult | EmbedResult

/** What is wrong with how a run ended; null where nothing is, or the next run goes on by itself. */
export function problemOfResult(result: Ended, work: Work): Problem | null {
  const { source, status } = result
  switch (status) {
    case 'failed':
      return { message: result.error.message, nextStep: result.error.hint }
    case 'busy':
      return problemOfBusy(result.holder, source, work)
    case 'blocked':
    case 'blocked_by_failures':
      return problemOfStatus(status, source, work, explanation(result)?.message)
    case 'partial':
    case 'up_to_date':
    case 'synced':
    case 'first_sync':
    case 'dry_run':
      return null
  }
}

/** The warnings that no problem tells already. */
export const otherWarnings = (result: Ended) => result.warnings.filter((each) => each !== explanation(result))

const explanation = ({ status, warnings }: Ended) => warnings.find(({ code }) => code === EXPLAINED_BY[status])
