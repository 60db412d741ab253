import { asLockError } from './database-error.ts'
import { LockError } from './lock-error.ts'
import type { Queryable } from './queryable.ts'

/** A fence for statements of the caller's own: no row means that the lease is lost. */
export interface FenceSql {
  readonly text: string
  readonly params: [string, string]
}

/** A template tag of a query builder: `sql` of Kysely, Drizzle, postgres.js, `Prisma.sql`. */
export type SqlTag<Fragment> = (strings: TemplateStringsArray, ...values: any[]) => Fragment

/** @returns whether the token still has the key. @throws {LockError} `LOCK_NO_TRANSACTION`, where it would not last. */
export async function runFence(tx: Queryable, { text, params }: FenceSql): Promise<boolean> {
  try {
    const [row] = (await tx.query(text, params)).rows
    if (row === undefined) return false
    // Only a transaction that has written has an id when the fence begins. Otherwise the fence's lock has just brought
    // one, which a next statement sees only in the same transaction.
    if (row.xid !== null) return true
    const check = await tx.query('SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS same')
    if (check.rows[0].same) return true
  } catch (error) {
    throw asLockError(error)
  }
  const remedy =
    'Call it after BEGIN on the connection of the transaction, or put fenceSql() into the statement that writes'
  throw new LockError('LOCK_NO_TRANSACTION', `a fence outside of a transaction ends with its own statement. ${remedy}`)
}
