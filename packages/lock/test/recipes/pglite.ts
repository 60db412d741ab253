import type { PGlite, Transaction } from '@electric-sql/pglite'
import type { Lease } from '../../src/index.ts'

/** A transaction that commits nothing once the lease is lost. */
export function writeUnderLease<T>(db: PGlite, lease: Lease, write: (tx: Transaction) => Promise<T>) {
  return db.transaction(async (tx) => {
    await lease.fence(tx)
    return write(tx)
  })
}

/** One statement that writes nothing once the lease is lost. */
export async function insertUnderLease(db: PGlite | Transaction, lease: Lease, line: string) {
  const fence = lease.fenceSql(2)
  const { rows } = await db.query(
    `WITH fence AS MATERIALIZED (${fence.text})
     INSERT INTO log (line) SELECT $1 FROM fence RETURNING 1`,
    [line, ...fence.params],
  )
  if (rows.length === 0) throw new Error('the lease is lost')
}
