import { type BreakOptions, type BreakResult, LockError } from '@tidemark/lock'
import type { Database } from '@tidemark/sync-core'
import { UsageError } from '../usage-error.ts'
import { isMissing } from './missing-database.ts'

/** Breaks the lease of a key. @throws {UsageError} for what cannot be a key. */
export async function breakLease(db: Database, key: string, options: BreakOptions): Promise<BreakResult> {
  if (isMissing(db)) return { verdict: 'absent', key }
  try {
    return await db.locks.break(key, options)
  } catch (error) {
    if (error instanceof LockError && error.code === 'LOCK_BAD_KEY')
      throw new UsageError(error.message, 'See the keys that there are: tidemark locks list', error)
    throw error
  }
}
