/**
 * Times the lock beside others on one Postgres, in one run: rounds of every contender take turns, so that a noisy
 * machine is as noisy for each. Prints the median of the rounds.
 */
import { randomUUID } from 'node:crypto'
import { startPostgresServer } from '@tidemark/test-engines/postgres-server'
import { Verrou } from '@verrou/core'
import { kyselyStore } from '@verrou/core/drivers/kysely'
import advisoryLock from 'advisory-lock'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { startHeartbeat } from '../src/heartbeat.ts'
import { createLocks } from '../src/index.ts'
import type { HeldLease } from '../src/lease.ts'
import { settingsOf } from '../src/options.ts'
import { statementsFor } from '../src/statements.ts'

const ROUNDS = 7
const CYCLES = 300
const LEASES = 100
const HAND_OVERS = 15
const HELD_MS = 120

/** A contender: each part returns the milliseconds of one operation, or is null where it has no such thing. */
interface Contender {
  readonly name: string
  readonly cycle: () => Promise<void>
  readonly renew: (() => Promise<void>) | null
  /** Begins to wait for a key that is held; resolves when it has it, and gives it up again. */
  readonly handOver: { take(key: string): Promise<() => Promise<unknown>> } | null
}

const server = await startPostgresServer()
// The server is stopped before they are closed: advisory-lock keeps a connection that no one can close.
const pool = () => new pg.Pool({ connectionString: server.url, max: 4 }).on('error', () => {})

async function tidemark(): Promise<Contender> {
  const [here, there] = [createLocks(pool()), createLocks(pool())]
  await here.migrate()
  const leases = await Promise.all(Array.from({ length: LEASES }, (_, i) => here.acquire(`bench ${i}`)))
  // What a heartbeat does, without waiting for its hour.
  const settings = settingsOf({})
  const heartbeat = startHeartbeat(pool(), statementsFor(settings), settings)
  let turn = 0
  return {
    name: '@tidemark/lock',
    async cycle() {
      const attempt = await here.tryAcquire('cycle')
      if (attempt.acquired) await attempt.lease.release()
    },
    renew: () => heartbeat.renew(leases as HeldLease[]),
    handOver: {
      async take(key) {
        const lease = await (turn++ % 2 === 0 ? here : there).acquire(key)
        return () => lease.release()
      },
    },
  }
}

async function verrou(): Promise<Contender> {
  const connection = new Kysely<any>({ dialect: new PostgresDialect({ pool: pool() }) })
  const stores = { pg: { driver: kyselyStore({ connection, tableName: 'verrou' }) } }
  const locks = new Verrou({ default: 'pg', stores })
  const leases = Array.from({ length: LEASES }, (_, i) => locks.createLock(`bench ${i}`, '90s'))
  for (const lease of leases) await lease.acquire()
  return {
    name: '@verrou/core',
    async cycle() {
      const lock = locks.createLock('cycle', '90s')
      await lock.acquireImmediately()
      await lock.release()
    },
    renew: async () => void (await Promise.all(leases.map((lease) => lease.extend('90s')))),
    handOver: {
      async take(key) {
        const lock = locks.createLock(key, '90s')
        await lock.acquire()
        return () => lock.release()
      },
    },
  }
}

async function advisory(): Promise<Contender> {
  const create = advisoryLock.default(server.url)
  return {
    name: 'advisory-lock',
    async cycle() {
      const unlock = await create('cycle').tryLock()
      await unlock?.()
    },
    renew: null,
    handOver: { take: async (key) => await create(key).lock() },
  }
}

/** The very statements that the package sends, without the package. */
async function bare(): Promise<Contender> {
  const db = pool()
  const sql = statementsFor(settingsOf({}))
  const acquire = async (key: string): Promise<string> => {
    const { rows } = await db.query(sql.acquire, [key, 'bare', 'bare', 0, null, randomUUID(), 90_000])
    return rows[0].taken
  }
  const keys = Array.from({ length: LEASES }, (_, i) => `bare ${i}`)
  const tokens = await Promise.all(keys.map(acquire))
  return {
    name: 'bare statements',
    cycle: async () => void (await db.query(sql.release, ['bare', await acquire('bare')])),
    renew: async () => void (await db.query(sql.renew, [keys, tokens, 90_000])),
    handOver: null,
  }
}

async function time(work: () => Promise<void>, times: number): Promise<number> {
  const started = performance.now()
  for (let i = 0; i < times; i++) await work()
  return (performance.now() - started) / times
}

/** From the release by one to the moment at which the other has it. */
async function timeHandOver({ take }: NonNullable<Contender['handOver']>): Promise<number> {
  let total = 0
  for (let i = 0; i < HAND_OVERS; i++) {
    const release = await take('hand-over')
    const waiting = take('hand-over').then((next) => ({ next, at: performance.now() }))
    await new Promise((resolve) => setTimeout(resolve, HELD_MS))
    const started = performance.now()
    await release()
    const { next, at } = await waiting
    total += at - started
    await next()
  }
  return total / HAND_OVERS
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const contenders = [await tidemark(), await verrou(), await advisory(), await bare()]
const figures = contenders.map(() => ({
  cycle: [] as number[],
  renew: [] as number[],
  handOver: [] as number[],
}))
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, { cycle, renew, handOver }] of contenders.entries()) {
    figures[i]!.cycle.push(await time(cycle, CYCLES))
    if (renew) figures[i]!.renew.push(await time(renew, 20))
    if (handOver && round < 2) figures[i]!.handOver.push(await timeHandOver(handOver))
  }
}
const shown = (values: number[]) => (values.length === 0 ? '–' : `${median(values).toFixed(2)} ms`)
console.table(
  Object.fromEntries(
    contenders.map(({ name }, i) => [
      name,
      {
        'acquire + release': shown(figures[i]!.cycle),
        [`renew ${LEASES} leases`]: shown(figures[i]!.renew),
        'hand-over to a waiter': shown(figures[i]!.handOver),
      },
    ]),
  ),
)
process.on('uncaughtException', () => {})
await server.stop()
process.exit()
