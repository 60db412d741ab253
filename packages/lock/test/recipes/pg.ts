import pg from 'pg'
import type { Lease } from '../../src/index.ts'

/** For `createLocks(pool)`. A connection that is cut, idle or in use, fails its statements and not the process. */
export function openPool(connectionString: string) {
  const pool = new pg.Pool({ connectionString })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** A transaction that commits nothing once the lease is lost. */
export async function writeUnderLease<T>(pool: pg.Pool, lease: Lease, write: (tx: pg.ClientBase) => Promise<T>) {
  const tx = await pool.connect()
  try {
    await tx.query('BEGIN')
    await lease.fence(tx)
    const result = await write(tx)
    await tx.query('COMMIT')
    return result
  } catch (error) {
    await tx.query('ROLLBACK').catch(() => {})
    throw error
  } finally {
    tx.release()
  }
}

/** One statement that writes nothing once the lease is lost. */
export async function insertUnderLease(db: pg.Pool | pg.ClientBase, lease: Lease, line: string) {
  const fence = lease.fenceSql(2)
  const { rows } = await db.query(
    `WITH fence AS MATERIALIZED (${fence.text})
     INSERT INTO log (line) SELECT $1 FROM fence RETURNING 1`,
    [line, ...fence.params],
  )
  if (rows.length === 0) throw new Error('the lease is lost')
}
