import type { ISql, Sql, TransactionSql } from 'postgres'
import type { Lease, Queryable } from '../../src/index.ts'

/** For `createLocks(queryable(sql))`, and for `lease.fence(queryable(tx))`. */
export function queryable(sql: ISql): Queryable {
  return { query: async (text, params = []) => ({ rows: await sql.unsafe(text, params as any[]) }) }
}

/** A transaction that commits nothing once the lease is lost. */
export function writeUnderLease<T>(sql: Sql, lease: Lease, write: (tx: TransactionSql) => Promise<T>) {
  return sql.begin(async (tx) => {
    await lease.fence(queryable(tx))
    return write(tx)
  })
}

/** One statement that writes nothing once the lease is lost. */
export async function insertUnderLease(sql: ISql, lease: Lease, line: string) {
  const rows = await sql`WITH fence AS MATERIALIZED (${lease.fenceTag(sql)})
    INSERT INTO log (line) SELECT ${line} FROM fence RETURNING 1`
  if (rows.length === 0) throw new Error('the lease is lost')
}
