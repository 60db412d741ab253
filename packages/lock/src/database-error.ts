import { LockError } from './lock-error.ts'

/** The database's error in this package's terms. */
export function asLockError(error: unknown): LockError {
  if (error instanceof LockError) return error
  const state = sqlState(error) ?? ''
  const message = (error as Error | null)?.message ?? String(error)
  // Table, schema, column, function.
  if (['42P01', '3F000', '42703', '42883'].includes(state))
    return new LockError('LOCK_NOT_MIGRATED', `call migrate() once, the table is missing or old: ${message}`, error)
  // Raised by migrations/check-table.ts.
  if (state === 'P0TLK') return new LockError('LOCK_BAD_TABLE', message, error)
  if (state === '42501') return new LockError('LOCK_FORBIDDEN', `the database refuses: ${message}`, error)
  return new LockError('LOCK_FAILED', `the database failed: ${message}`, error)
}

/** Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html; names like EPIPE are none. */
const SQLSTATE = /^(?:\d[0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/

/** The server's code of an error, also where a query builder has wrapped it. */
export function sqlState(error: unknown, depth = 0): string | undefined {
  if (typeof error === 'string' && SQLSTATE.test(error)) return error
  if (typeof error !== 'object' || error === null || depth > 6) return undefined
  const { code, originalCode, cause, meta, driverAdapterError } = error as Record<string, unknown>
  const inner = [code, originalCode, cause, meta, driverAdapterError]
  return inner.map((each) => sqlState(each, depth + 1)).find((state) => state !== undefined)
}

/** Connection lost or refused, overload, cancelled, read-only while a standby takes over, a race. */
const TRANSIENT = /^(?:08|53|57014|57P0|55P03|25006|40001|40P01)/
/** What a driver says of a connection that this process has closed for good. */
const CLOSED = /after calling end|not queryable|is closed|was closed|CONNECTION_(?:ENDED|DESTROYED)/

/** Whether it may pass: by the server's code; without one, anything but a closed connection or a program's mistake. */
export function isTransient(error: unknown): boolean {
  if (error instanceof LockError) return error.code === 'LOCK_FAILED' && isTransient(error.cause)
  const state = sqlState(error)
  if (state !== undefined) return TRANSIENT.test(state)
  const { code, message, cause } = (error ?? {}) as Record<string, unknown>
  // A fetch that failed is a TypeError too, but one that has a cause.
  const mistake = [TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind) && !cause
  return !mistake && !CLOSED.test(`${code} ${message}`)
}
