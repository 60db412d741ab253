import { CompiledQuery, type Kysely, sql, type Transaction } from 'kysely'
import type { Lease, Queryable } from '../../src/index.ts'

/** For `createLocks(queryable(db))`, and for `lease.fence(queryable(tx))`. */
export function queryable(db: Kysely<any>): Queryable {
  return { query: (text, params) => db.withoutPlugins().executeQuery(CompiledQuery.raw(text, params)) }
}

/** A transaction that commits nothing once the lease is lost. */
export function writeUnderLease<DB, T>(db: Kysely<DB>, lease: Lease, write: (tx: Transaction<DB>) => Promise<T>) {
  return db.transaction().execute(async (tx) => {
    await lease.fence(queryable(tx))
    return write(tx)
  })
}

/** One statement that writes nothing once the lease is lost. */
export async function insertUnderLease(db: Kysely<any>, lease: Lease, line: string) {
  const { rows } = await sql`WITH fence AS MATERIALIZED (${lease.fenceTag(sql)})
    INSERT INTO log (line) SELECT ${line} FROM fence RETURNING 1`.execute(db)
  if (rows.length === 0) throw new Error('the lease is lost')
}
