import { CompiledQuery, type Kysely, sql, type Transaction } from 'kysely'
import type { Lease, Queryable } from '../../src/index.ts'

/** For `createLocks(queryable(db))`; also makes a transaction fit for `lease.fence`. */
export function queryable(db: Kysely<any>): Queryable {
  return { query: (text, params) => db.withoutPlugins().executeQuery(CompiledQuery.raw(text, params)) }
}

/** A transaction that commits only while the lease is held. */
export function writeUnderLease<DB, T>(db: Kysely<DB>, lease: Lease, write: (tx: Transaction<DB>) => Promise<T>) {
  return db.transaction().execute(async (tx) => {
    await lease.fence(queryable(tx))
    return write(tx)
  })
}

/** One statement that writes only while the lease is held. */
export async function insertUnderLease(db: Kysely<any>, lease: Lease, line: string) {
  const { rows } = await sql`WITH fence AS MATERIALIZED (${lease.fenceTag(sql)})
    INSERT INTO log (line) SELECT ${line} FROM fence RETURNING 1`.execute(db)
  if (rows.length === 0) throw new Error('the lease is lost')
}
