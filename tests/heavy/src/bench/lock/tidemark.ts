import { createLocks, type Queryable } from '@tidemark/lock'
import { startHeartbeat } from '../../../../../packages/lock/src/heartbeat.ts'
import type { HeldLease } from '../../../../../packages/lock/src/lease.ts'
import { settingsOf } from '../../../../../packages/lock/src/options.ts'
import { statementsFor } from '../../../../../packages/lock/src/statements.ts'
import { type Contender, LEASES, poolOf } from './contender.ts'

export async function tidemark(url: string): Promise<Contender> {
  let statements = 0
  const counted = (): Queryable => {
    const pool = poolOf(url)
    return {
      query(text, params) {
        statements++
        return pool.query(text, params)
      },
    }
  }
  const [here, there] = [createLocks(counted()), createLocks(counted())]
  await here.migrate()
  const leases = await Promise.all(Array.from({ length: LEASES }, (_, i) => here.acquire(`bench ${i}`)))
  // What a heartbeat does, without waiting for its hour: the package offers no call for it.
  const settings = settingsOf({})
  const heartbeat = startHeartbeat(counted(), statementsFor(settings), settings)
  let turn = 0
  return {
    name: '@tidemark/lock',
    lacks: 'a waiter asks again every 20 to 500 ms',
    async cycle() {
      const attempt = await here.tryAcquire('cycle')
      if (attempt.acquired) await attempt.lease.release()
    },
    renew: () => heartbeat.renew(leases as unknown as HeldLease[]),
    async take(key) {
      const lease = await (turn++ % 2 === 0 ? here : there).acquire(key)
      return () => lease.release()
    },
    statements: () => statements,
  }
}
