import { LockError } from './lock-error.ts'

/** Whatever runs SQL: `pg.Pool`, `pg.Client` and PGlite fit as they are. */
export interface Queryable {
  query(text: string, params?: unknown[]): Promise<{ rows: any[] }>
}

const MOST_ATTEMPTS = 5

/**
 * Runs one statement. Under an isolation level above READ COMMITTED a race ends in 40001, and two renewals may meet
 * in a deadlock: both mean that nothing was done, so the statement is run again.
 *
 * @throws {LockError} `LOCK_NOT_MIGRATED`, `LOCK_FORBIDDEN` or `LOCK_FAILED`, with the database's error as the cause.
 */
export async function run<Row = any>(db: Queryable, text: string, params: unknown[]): Promise<Row[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await db.query(text, params)).rows
    } catch (error) {
      const code = (error as { code?: unknown }).code
      if ((code === '40001' || code === '40P01') && attempt < MOST_ATTEMPTS) continue
      throw asLockError(error)
    }
  }
}

/** The database's error in this package's terms. */
export function asLockError(error: unknown): LockError {
  if (error instanceof LockError) return error
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (code === '42P01' || code === '3F000' || code === '42703') {
    return new LockError(
      'LOCK_NOT_MIGRATED',
      'the table of the locks is missing or old: call migrate() once',
      error,
    )
  }
  if (code === '42501') return new LockError('LOCK_FORBIDDEN', `the database refuses: ${message}`, error)
  return new LockError('LOCK_FAILED', `the database failed: ${message ?? String(error)}`, error)
}
