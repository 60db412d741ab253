import { sql } from 'drizzle-orm'
import type { NodePgQueryResultHKT } from 'drizzle-orm/node-postgres'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import type { Lease } from '../../src/index.ts'

/** A database, or a transaction of it. */
type Database<Schema extends Record<string, unknown>> = PgDatabase<NodePgQueryResultHKT, Schema>

/** A transaction that commits nothing once the lease is lost. */
export function writeUnderLease<Schema extends Record<string, unknown>, T>(
  db: Database<Schema>,
  lease: Lease,
  write: (tx: Database<Schema>) => Promise<T>,
) {
  return db.transaction(async (tx) => {
    const { rows } = await tx.execute(lease.fenceTag(sql))
    if (rows.length === 0) throw new Error('the lease is lost')
    return write(tx)
  })
}

/** One statement that writes nothing once the lease is lost. */
export async function insertUnderLease(db: Database<any>, lease: Lease, line: string) {
  const { rows } = await db.execute(sql`WITH fence AS MATERIALIZED (${lease.fenceTag(sql)})
    INSERT INTO log (line) SELECT ${line} FROM fence RETURNING 1`)
  if (rows.length === 0) throw new Error('the lease is lost')
}
