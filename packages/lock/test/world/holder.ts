/**
 * A process that takes a lease and counts under its fence until the lease is lost. Run by the process tests with
 * the address of the database; says what it does, a word a line.
 */
import pg from 'pg'
import { createLocks } from '../../src/index.ts'

const [url = '', mode = 'work'] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, allowExitOnIdle: true })
pool.on('error', () => {})
const locks = createLocks(pool, { ttlMs: 2_000, heartbeatMs: 300, marginMs: 200 })
const lease = await locks.acquire('job')
console.log('acquired')

if (mode === 'work') {
  const fence = lease.fenceSql(1)
  const count = `WITH fence AS MATERIALIZED (${fence.text})
    INSERT INTO work (token) SELECT $2::bigint FROM fence RETURNING 1`
  let written = 0
  while (!lease.signal.aborted) {
    const { rows } = await pool.query(count, fence.params)
    if (rows.length === 0) break
    if (++written === 3) console.log('working')
  }
  await lease.refresh().catch(() => {})
  console.log(`lost ${lease.signal.reason.reason}`)
}
