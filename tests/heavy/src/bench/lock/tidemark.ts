import { setTimeout as sleep } from 'node:timers/promises'
import { createLocks, type LeaseEvent, type Queryable } from '@tidemark/lock'
import pg from 'pg'
import { createPool } from './peers.ts'
import { type Contender, LEASES } from './timings.ts'

/** How often leases are renewed while that is timed. */
const HEARTBEAT_MS = 50

export async function tidemark(url: string): Promise<Contender> {
  const pool = createPool(url)
  return {
    name: '@tidemark/lock',
    caveats: 'a waiter asks again every 120 ms',
    renew: (times) => timeHeartbeats(pool, times),
    ...(await openBothSides(pool, 'heartbeat_locks')),
  }
}

/** The same with the option `listen`: each release notifies. */
export async function listeningTidemark(url: string): Promise<Contender> {
  const connect = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return client
  }
  return {
    name: '… with listen',
    caveats: 'one connection more, which cannot be through a transaction pooler',
    ...(await openBothSides(createPool(url), 'listening_locks', connect)),
  }
}

/** One side that holds keys and another that waits for them, each as a process of its own would. */
async function openBothSides(pool: pg.Pool, table: string, connect?: () => Promise<pg.Client>) {
  const counts = new Map<unknown, number>()
  const counted: Queryable = {
    query(text, params = []) {
      // Every query about a key has it as its first parameter.
      counts.set(params[0], (counts.get(params[0]) ?? 0) + 1)
      return pool.query(text, params)
    },
  }
  const holder = createLocks(counted, { table, listen: await connect?.() })
  const waiter = createLocks(counted, { table, listen: await connect?.() })
  await holder.migrate()
  return {
    table,
    async tryAcquire(key: string) {
      const attempt = await holder.tryAcquire(key)
      return attempt.acquired ? () => attempt.lease.release() : null
    },
    async acquire(key: string) {
      const lease = await waiter.acquire(key)
      return () => lease.release()
    },
    countQueries: (key: string) => counts.get(key) ?? 0,
  }
}

/** Times the queries that are sent while leases are held and nothing else is done: the heartbeat. */
async function timeHeartbeats(pool: pg.Pool, times: number) {
  const heartbeats: { ms: number; leases: number }[] = []
  let allHeld = false
  const timed: Queryable = {
    async query(text, params) {
      if (!allHeld) return pool.query(text, params)
      const startedAt = performance.now()
      const result = await pool.query(text, params)
      heartbeats.push({ ms: performance.now() - startedAt, leases: 0 })
      return result
    },
  }
  const onEvent = ({ type }: LeaseEvent) => {
    const heartbeat = heartbeats.at(-1)
    if (heartbeat && type === 'renewed') heartbeat.leases++
  }
  const locks = createLocks(timed, { heartbeatMs: HEARTBEAT_MS, onEvent })
  await Promise.all(Array.from({ length: LEASES }, (_, i) => locks.acquire(`bench ${i}`)))
  allHeld = true
  while (heartbeats.length < times) await sleep(HEARTBEAT_MS)
  allHeld = false
  await locks.close()
  return heartbeats.map(({ ms, leases }) => ({ ms, statements: LEASES / leases }))
}
