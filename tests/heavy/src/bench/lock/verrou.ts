import { Verrou } from '@verrou/core'
import { kyselyStore } from '@verrou/core/drivers/kysely'
import { Kysely, PostgresDialect } from 'kysely'
import { type Contender, createPool, LEASES, type Renewal } from './contender.ts'

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
    async take(key) {
      const lock = locks.createLock(key, '90s')
      return (await lock.acquireImmediately()) ? () => lock.release() : null
    },
    async wait(key) {
      const lock = locks.createLock(key, '90s')
      await lock.acquire()
      return () => lock.release()
    },
    async renew(times) {
      const renewals: Renewal[] = []
      while (renewals.length < times) {
        const startedAt = performance.now()
        await Promise.all(leases.map((lease) => lease.extend('90s')))
        renewals.push({ ms: performance.now() - startedAt, statements: LEASES })
      }
      return renewals
    },
  }
}
