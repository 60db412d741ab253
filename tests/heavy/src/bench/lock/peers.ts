import { randomUUID } from 'node:crypto'
import { Verrou } from '@verrou/core'
import { kyselyStore } from '@verrou/core/drivers/kysely'
import advisoryLock from 'advisory-lock'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { type Contender, LEASES, WORKERS } from './timings.ts'

/** It outlives the measurement: the process ends with `process.exit`. */
export const createPool = (url: string) => new pg.Pool({ connectionString: url, max: WORKERS, idleTimeoutMillis: 0 })

export async function verrou(url: string): Promise<Contender> {
  const connection = new Kysely<any>({ dialect: new PostgresDialect({ pool: createPool(url) }) })
  const stores = { pg: { driver: kyselyStore({ connection, tableName: 'verrou' }) } }
  const locks = new Verrou({ default: 'pg', stores })
  const leases = Array.from({ length: LEASES }, (_, i) => locks.createLock(`bench ${i}`, '90s'))
  for (const lease of leases) await lease.acquire()
  return {
    name: '@verrou/core',
    caveats: 'no fencing token, nothing tells who holds it, expiry by the clock of each client',
    table: 'verrou',
    async tryAcquire(key) {
      const lock = locks.createLock(key, '90s')
      return (await lock.acquireImmediately()) ? () => lock.release() : null
    },
    async acquire(key) {
      const lock = locks.createLock(key, '90s')
      await lock.acquire()
      return () => lock.release()
    },
    async renew(times) {
      const renewals = []
      while (renewals.length < times) {
        const startedAt = performance.now()
        await Promise.all(leases.map((lease) => lease.extend('90s')))
        renewals.push({ ms: performance.now() - startedAt, statements: LEASES })
      }
      return renewals
    },
  }
}

export async function advisory(url: string): Promise<Contender> {
  const create = advisoryLock.default(url)
  return {
    name: 'advisory-lock',
    caveats: 'no expiry, no token, a connection a lock, not through a transaction pooler',
    table: null,
    tryAcquire: async (key) => (await create(key).tryLock()) ?? null,
    acquire: (key) => create(key).lock(),
  }
}

/** The baseline: a lease of two statements, as anyone would write it. */
export async function minimalLease(url: string): Promise<Contender> {
  const db = createPool(url)
  const owner = randomUUID()
  await db.query('CREATE TABLE minimal_lease (key text PRIMARY KEY, owner text, expires_at timestamptz)')
  return {
    name: 'minimal lease',
    caveats: 'two statements: no token, no heartbeat, nothing tells who holds it or that it is lost',
    table: 'minimal_lease',
    async tryAcquire(key) {
      const { rowCount } = await db.query(
        `INSERT INTO minimal_lease (key, owner, expires_at) VALUES ($1, $2, now() + interval '90 s')
         ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at
         WHERE minimal_lease.expires_at < now()
         RETURNING key`,
        [key, owner],
      )
      if (rowCount !== 1) return null
      return () => db.query('DELETE FROM minimal_lease WHERE key = $1 AND owner = $2', [key, owner])
    },
  }
}
