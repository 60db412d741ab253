/**
 * How a run ends that does not reach its end.
 *
 * Everything that can stop one aborts one signal, whose reason says which: {@link Stopped} by the budget or the stall
 * watchdog, a LeaseLostError by the lease, anything else by the caller. Whatever waits throws that reason, and what it
 * throws becomes the outcome in one place, {@link outcomeFromError}. All else that is thrown is a fault: `failed`.
 */
import { LeaseLostError, LockError } from '@tidemark/lock'
import { isConnectionLost } from '../database/connection-lost.ts'
import { redact } from '../redact.ts'
import { SyncError } from '../sync-error.ts'
import { databaseStep } from './database-steps.ts'
import type { Outcome, ResultError, StopReason, Warning } from './outcome.ts'
import { settingStep, stepForSource } from './setting-step.ts'

/** What may still be written when a run has been stopped: little, and a database that is gone is not waited for. */
export const CLEANUP_TIMEOUT_MS = 1_000

/** Why a run stopped before it was done. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly reason: StopReason

  constructor(reason: StopReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** The reason of a signal that aborted while a server was being waited for. */
export function pullTimeout(reason: unknown): unknown {
  const timeout = reason instanceof Stopped && reason.reason === 'timeout'
  return timeout ? new Stopped('pull_timeout', 'the budget was spent while a server was waited for') : reason
}

/** Thrown when so many items of a run cannot be stored that the fault is not theirs. */
export class TooManyFailures extends Error {
  override readonly name = 'TooManyFailures'
}

/** Thrown where a source has more files than it may. */
export class TooManyFiles extends Error {
  override readonly name = 'TooManyFiles'
  readonly hint: string

  constructor(message: string, count: number) {
    super(message)
    this.hint = `If that is the right ref and the right folder: ${settingStep({ maxFiles: count })}`
  }
}

const MAX_FAILURES = 20
const MAX_FAILURE_RATE = 0.2

/** @throws {TooManyFailures} where more than 20 items and more than a fifth of them all have failed. */
export function refuseTooManyFailures(failed: number, total: number, what: string): void {
  if (failed > MAX_FAILURES && failed > total * MAX_FAILURE_RATE)
    throw new TooManyFailures(`${failed} of ${total} ${what}`)
}

/** How a run of a source ended that threw: stopped by its signal, blocked, or failed. What blocks it is added to its warnings. */
export function outcomeFromError(error: unknown, source: string, signal: AbortSignal, warnings: Warning[]): Outcome {
  // A fetch says more of its end than the signal does; anything else that fails after the signal fails by it.
  const cause = error instanceof Stopped || !signal.aborted ? error : signal.reason
  if (cause instanceof Stopped) return { status: 'partial', reason: cause.reason }
  if (cause instanceof LeaseLostError) return { status: 'partial', reason: 'lease_lost' }
  if (signal.aborted) return { status: 'partial', reason: 'cancelled' }
  if (error instanceof TooManyFailures) {
    warnings.push({ code: 'too_many_failures', message: error.message })
    return { status: 'blocked_by_failures' }
  }
  if (error instanceof TooManyFiles) {
    warnings.push({ code: 'too_many_files', message: error.message, hint: stepForSource(error.hint, source) })
    return { status: 'blocked', reason: 'too_many_files' }
  }
  const described = describeError(error, source)
  const reason = described.code.startsWith('FETCH_') ? 'fetch_failed' : described.code.toLowerCase()
  return { status: 'failed', reason, error: described }
}

/** The code of an error, for a program to go by. @param otherwise that of one that is not known */
export function errorCode(error: unknown, otherwise = 'UNEXPECTED'): string {
  if (error instanceof LockError && error.code !== 'LOCK_FAILED') return error.code
  const { code } = describeError(error, '')
  return code === 'UNEXPECTED' ? otherwise : code
}

function describeError(error: unknown, source: string): ResultError {
  if (error instanceof SyncError) {
    return { code: error.code, message: error.message, hint: stepForSource(error.hint, source) }
  }
  const fault = error instanceof LockError && error.cause instanceof Error ? error.cause : error
  if (fault instanceof SyncError) return { code: fault.code, message: fault.message, hint: fault.hint }
  const { code, message } = fault as { code?: unknown; message?: unknown }
  const text = redact(String(message ?? fault))
  if (code === 'LOCK_FAILED' || isConnectionLost(fault) || /database has ended/i.test(text)) {
    const hint = 'Nothing is lost: the next run goes on from here.'
    return { code: 'DATABASE_UNREACHABLE', message: `The database went away: ${text}`, hint }
  }
  // One of Postgres has a digit, EPERM of the system has none.
  if (typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) {
    const hint = databaseStep(code) ?? 'See the log of the database server.'
    const kind = DOCTOR_FINDS.has(code) ? 'DATABASE_REFUSED' : 'DATABASE_FAILED'
    return { code: kind, message: `The database refused a statement (${code}): ${text}`, hint }
  }
  return { code: 'UNEXPECTED', message: text, hint: 'This looks like a fault of tidemark: please report it.' }
}

/** A missing right, and a database that is read-only. */
const DOCTOR_FINDS = new Set(['42501', '25006'])
