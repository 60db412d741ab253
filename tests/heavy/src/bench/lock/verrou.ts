import { Verrou } from '@verrou/core'
import { kyselyStore } from '@verrou/core/drivers/kysely'
import { Kysely, PostgresDialect } from 'kysely'
import { type Contender, LEASES, poolOf } from './contender.ts'

export async function verrou(url: string): Promise<Contender> {
  const connection = new Kysely<any>({ dialect: new PostgresDialect({ pool: poolOf(url) }) })
  const stores = { pg: { driver: kyselyStore({ connection, tableName: 'verrou' }) } }
  const locks = new Verrou({ default: 'pg', stores })
  const leases = Array.from({ length: LEASES }, (_, i) => locks.createLock(`bench ${i}`, '90s'))
  for (const lease of leases) await lease.acquire()
  return {
    name: '@verrou/core',
    lacks: 'no fencing token, nothing tells who holds it, expiry by the clock of each client',
    async cycle() {
      const lock = locks.createLock('cycle', '90s')
      await lock.acquireImmediately()
      await lock.release()
    },
    renew: async () => void (await Promise.all(leases.map((lease) => lease.extend('90s')))),
    async take(key) {
      const lock = locks.createLock(key, '90s')
      await lock.acquire()
      return () => lock.release()
    },
  }
}
