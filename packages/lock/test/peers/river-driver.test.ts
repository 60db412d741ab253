/**
 * What River asks of the leader queries of each of its drivers, and of being told by the database; in the terms of this
 * package. Suite: riverqueue/river at fdf6cdf, riverdriver/riverdrivertest/leader.go and internal/leadership.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import type { Listener } from '../../src/index.ts'
import { createWakeups } from '../../src/wakeups.ts'
import { type LockWorld, lockWorld, type Route, routes } from '../world/lock-world.ts'
import { eventLog } from './event-log.ts'
import { campaign } from './leading.ts'
import { type Intercept, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }

describe.each(routes)('on %s the term of a leader', (route) => {
  test('begins now and ends after its ttlMs, by the clock of the database', async () => {
    await using world = await lockWorld(route, QUICK)
    const { token } = await world.locks.acquire('job')
    const { rows } = await world.db.query(
      `SELECT acquired_at <= clock_timestamp() AND acquired_at > clock_timestamp() - interval '1 minute' AS begins_now,
         (extract(epoch FROM expires_at - acquired_at) * 1000)::integer AS lasts_ms FROM ${world.table}`,
    )
    expect(rows).toEqual([{ begins_now: true, lasts_ms: QUICK.ttlMs }])
    expect(await world.locks.inspect('job')).toMatchObject({ token, holder: { pid: process.pid } })
  })

  test('is not touched by another who is not elected', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    await world.locks.acquire('job')
    const before = await world.row('job')
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false })
    expect(await world.row('job')).toEqual(before)
  })

  test('is extended by its own leader, and stays the same term', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { ttlMs: 30_000 })
    const before = await world.row('job')
    await sleep(5)
    await lease.refresh()
    const after = await world.row('job')
    expect(after.expires_at.getTime()).toBeGreaterThan(before.expires_at.getTime())
    expect(after).toMatchObject({ acquired_at: before.acquired_at, holder_id: before.holder_id })
  })

  test.each(['another leader', 'a newer term of the same'])(
    'cannot be extended by the lease before: it is of %s',
    async (whose) => {
      await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
      const older = await world.locks.acquire('job')
      await world.expire('job')
      await (whose === 'another leader' ? world.another() : world.locks).acquire('job')
      const before = await world.row('job')
      await expect(older.refresh()).rejects.toMatchObject({ reason: 'taken' })
      expect(await world.row('job')).toEqual(before)
    },
  )

  test('cannot be extended when it has expired, though the row is still there', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    const lease = await world.locks.acquire('job')
    await world.expire('job')
    const before = await world.row('job')
    await expect(lease.refresh()).rejects.toMatchObject({ reason: 'expired' })
    expect(await world.row('job')).toEqual(before)
  })

  test('is ended by its own leader, and by a leader without a row not', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect(await lease.release()).toBe(true)
    const gone = await world.locks.acquire('job')
    await world.db.query(`DELETE FROM ${world.table}`)
    expect(await gone.release()).toBe(false)
  })

  test.each(['another leader', 'a newer term of the same'])(
    'cannot be ended by the lease before: it is of %s',
    async (whose) => {
      await using world = await lockWorld(route, QUICK)
      const older = await world.locks.acquire('job')
      await world.expire('job')
      expect(await world.locks.prune({ olderThanMs: 500 })).toBe(1)
      const newer = await (whose === 'another leader' ? world.another() : world.locks).acquire('job')
      expect(newer.token).toBeGreaterThan(older.token)
      expect(await older.release()).toBe(false)
      expect(await world.locks.inspect('job')).toMatchObject({ token: newer.token })
    },
  )

  test('that has expired is deleted by prune, and no other', async () => {
    await using world = await lockWorld(route, QUICK)
    expect(await world.locks.prune({ olderThanMs: 0 })).toBe(0)
    for (const key of ['expired', 'live', 'released']) await world.another().acquire(key)
    await world.expire('expired')
    await world.db.query(
      `UPDATE ${world.table} SET expires_at = clock_timestamp() - interval '2 hours' WHERE key = 'expired'`,
    )
    expect(await world.locks.prune({ olderThanMs: 3_600_000 })).toBe(1)
    expect((await world.locks.list()).map(({ key }) => key)).toEqual(['live', 'released'])
  })
})

/** Routes on which a connection can LISTEN. */
const listeningRoutes = routes.filter((route) => route !== 'pgbouncer')

async function listener(world: LockWorld, route: Route): Promise<{ listen: Listener; close(): Promise<void> }> {
  if (route === 'pglite') return { listen: world.db as unknown as PGlite, close: async () => {} }
  const client = new pg.Client({ connectionString: world.url })
  await client.connect()
  return { listen: client, close: () => client.end() }
}

const notify = (world: LockWorld, key: string) => world.db.query(`SELECT pg_notify('tidemark_lock', $1)`, [key])

describe.each(listeningRoutes)('on %s an elector that listens', (route) => {
  /** A candidate behind a leader, after it has begun to listen. */
  async function candidateWorld(intercept?: Intercept) {
    const world = await lockWorld(route, { ...QUICK, ttlMs: 20_000, heartbeatMs: 5_000 })
    const { listen, close } = await listener(world, route)
    const leader = await world.another({ listen }).acquire('job')
    const log = statementLog(world.db, intercept)
    const events = eventLog()
    const candidate = campaign(world.another({ listen, onEvent: events.onEvent }, log.db))
    await events.next('contended')
    // The try that follows the beginning of LISTEN.
    for (let before = -1; before !== log.count('acquire'); await sleep(100)) before = log.count('acquire')
    return {
      world,
      listen,
      leader,
      log,
      candidate,
      async [Symbol.asyncDispose]() {
        await candidate.stop()
        await world[Symbol.asyncDispose]()
        await close()
      },
    }
  }

  test('leads as soon as the leader resigns', async () => {
    await using scene = await candidateWorld()
    const startedAt = performance.now()
    await scene.leader.release()
    await scene.candidate.term(1)
    expect(performance.now() - startedAt).toBeLessThan(900)
  })

  test('is not woken for other keys', async () => {
    await using scene = await candidateWorld()
    const before = scene.log.count('acquire')
    await notify(scene.world, 'another')
    await sleep(100)
    expect(scene.log.count('acquire') - before).toBeLessThanOrEqual(1)
  })

  test('tries once more for all the wakeups that come during a try, and then rests', async () => {
    const tries: PromiseWithResolvers<void>[] = []
    let held = false
    await using scene = await candidateWorld((kind) => {
      if (kind === 'acquire' && held) tries.push(Promise.withResolvers())
      return kind === 'acquire' && tries.at(-1)?.promise
    })
    const started = (n: number) => vi.waitFor(() => expect(tries).toHaveLength(n), { timeout: 10_000, interval: 5 })
    let heard = 0
    const wakeups = createWakeups(scene.listen, () => heard++)
    await wakeups.ready()
    held = true
    await notify(scene.world, 'job')
    await started(1)
    await Promise.all(Array.from({ length: 10 }, () => notify(scene.world, 'job')))
    await vi.waitFor(() => expect(heard).toBe(11), { timeout: 10_000, interval: 5 })
    tries[0]!.resolve()
    await started(2)
    const restsSince = performance.now()
    tries[1]!.resolve()
    await started(3)
    expect(performance.now() - restsSince).toBeGreaterThan(500)
    held = false
    tries[2]!.resolve()
  })

  test('that has stopped tries no more when it is woken', async () => {
    await using scene = await candidateWorld()
    await scene.candidate.stop()
    const before = scene.log.count('acquire')
    await notify(scene.world, 'job')
    await sleep(100)
    expect(scene.log.count('acquire')).toBe(before)
  })

  test('hears at once that it is asked to resign, long before its next heartbeat', async () => {
    await using scene = await candidateWorld()
    const startedAt = performance.now()
    await scene.leader.release()
    const lease = await scene.candidate.term(1)
    const { listen, close } = await listener(scene.world, route)
    await scene.world.another({ listen }).requestResign('job')
    // It may have been asked before requestResign() has returned.
    await vi.waitFor(() => expect(lease.resignSignal.aborted).toBe(true), { timeout: 10_000, interval: 5 })
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    await close()
  })
})
