import { LeaseLostError, LockError } from '@tidemark/lock'
import { StoppedInFetch } from '../git/remote-origin.ts'
import { redact } from '../redact.ts'
import { BudgetSpent, Stalled } from '../sync/budget.ts'
import { TooManyFailures } from '../sync/too-many-failures.ts'
import { SyncError } from '../sync-error.ts'
import type { Outcome, ResultError } from './outcome.ts'

/** How a run ended that threw: stopped by its signal, or failed. */
export function outcomeFromError(error: unknown, signal: AbortSignal): Outcome {
  // A fetch is stopped by the lease's signal too, of which the caller's knows nothing.
  const thrown = error instanceof StoppedInFetch ? error.cause : error
  const cause = signal.aborted ? signal.reason : thrown
  if (cause instanceof BudgetSpent)
    return { status: 'partial', reason: error instanceof StoppedInFetch ? 'pull_timeout' : 'timeout' }
  if (cause instanceof LeaseLostError) return { status: 'partial', reason: 'lease_lost' }
  if (cause instanceof Stalled) return { status: 'partial', reason: 'stalled' }
  if (signal.aborted) return { status: 'partial', reason: 'cancelled' }
  if (error instanceof TooManyFailures) return { status: 'blocked_by_failures' }
  const described = describe(error)
  const reason = described.code.startsWith('FETCH_') ? 'fetch_failed' : described.code.toLowerCase()
  return { status: 'failed', reason, error: described }
}

const CONNECTION_LOST = /^(08|57P0)|^E(CONN|PIPE|TIMEDOUT|HOST)/

function describe(error: unknown): ResultError {
  if (error instanceof SyncError) return { code: error.code, message: error.message, hint: error.hint }
  const fault = error instanceof LockError && error.cause instanceof Error ? error.cause : error
  const { code, message } = fault as { code?: unknown; message?: unknown }
  const text = redact(String(message ?? fault))
  if (
    code === 'LOCK_FAILED' ||
    (typeof code === 'string' && CONNECTION_LOST.test(code)) ||
    /connection terminated|not queryable|database has ended/i.test(text)
  ) {
    return {
      code: 'DATABASE_UNREACHABLE',
      message: `The database went away: ${text}`,
      hint: 'Nothing is lost: the next run goes on from here.',
    }
  }
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) {
    return {
      code: 'DATABASE_FAILED',
      message: `The database refused a statement (${code}): ${text}`,
      hint: HINTS[code] ?? 'See the log of the database server.',
    }
  }
  return { code: 'UNEXPECTED', message: text, hint: 'This looks like a fault of tidemark: please report it.' }
}

const HINTS: Record<string, string> = {
  '3F000': 'Create the tables with migrate() first.',
  '42P01': 'Create the tables with migrate() first.',
  '42501': 'Grant the role of this connection the right to write to the schema "tidemark".',
  '53100': 'The disk of the database server is full: make room, then run again.',
  '25006': 'The database is read-only, for example a replica: connect to the primary.',
}
