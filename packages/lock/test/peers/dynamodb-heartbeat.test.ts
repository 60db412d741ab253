/**
 * What the tests of the Amazon DynamoDB lock client ask of heartbeats, of the time that is left and of the data of a
 * lock; in the terms of this package. Suite: awslabs/amazon-dynamodb-lock-client at 601eab1, BasicLockClientTests,
 * AmazonDynamoDBLockClientTest, LockItemTest and SessionMonitorTest.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../../src/index.ts'
import { lockWorld, routes, serverRoutes } from '../world/lock-world.ts'
import { eventLog } from './event-log.ts'
import { cut, sqlError, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }
const SHORT = { ttlMs: 1_000, heartbeatMs: 150, marginMs: 150 }

describe.each(routes)('on %s a heartbeat', (route) => {
  test('leaves what was noted with the lock', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { info: { data: 1 } })
    await lease.refresh()
    expect(await world.locks.inspect('job')).toMatchObject({ info: { data: 1 } })
  })

  test('notes something else, or nothing any more', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { info: { data: 1 } })
    await lease.update({ data: 2 })
    expect(await world.locks.inspect('job')).toMatchObject({ info: { data: 2 } })
    await lease.update(null)
    expect(await world.locks.inspect('job')).toMatchObject({ info: null })
  })

  test('of a lock that has expired, was released, or is of another by now is refused', async () => {
    await using world = await lockWorld(route, QUICK)
    const expired = await world.locks.acquire('expired')
    await world.expire('expired')
    await expect(expired.update('late')).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'expired' })
    const released = await world.locks.acquire('released')
    await released.release()
    await expect(released.update('late')).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
    const stolen = await world.locks.acquire('stolen')
    await world.expire('stolen')
    await world.another().acquire('stolen')
    await expect(stolen.update('late')).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'taken' })
    expect((await world.locks.list()).map(({ info }) => info)).toEqual([null, null])
  })

  test('that the database is too busy for is an error, and adds no time', async () => {
    await using world = await lockWorld(route, QUICK)
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw sqlError('53400')
    })
    const lease = await world.another({}, db).acquire('job')
    const before = lease.expiresInMs
    await expect(lease.refresh()).rejects.toMatchObject({ code: 'LOCK_FAILED', cause: { code: '53400' } })
    expect(lease.expiresInMs).toBeLessThanOrEqual(before)
  })

  test('goes on for all locks, again and again, while each of them fails', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 150 })
    const log = eventLog()
    let failing = true
    const statements = statementLog(world.db, (kind) => {
      if (kind === 'renew' && failing && statements.count('renew') < 3) throw cut()
    })
    const locks = world.another({ onEvent: log.onEvent }, statements.db)
    const leases = await Promise.all(['1', '2', '3'].map((key) => locks.acquire(key)))
    await log.next('renewed', 3)
    failing = false
    expect(leases.map(({ held }) => held)).toEqual([true, true, true])
    expect(log.ofType('doubtful').map(({ key }) => key)).toEqual(expect.arrayContaining(['1', '2', '3']))
  })
})

describe.each(serverRoutes)('on %s a heartbeat', (route) => {
  test('that cannot reach the row of one lock renews the others', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const locks = world.another({ onEvent: log.onEvent })
    const [one, two] = [await locks.acquire('1'), await locks.acquire('2')]
    const client = await (world.db as pg.Pool).connect()
    await client.query('BEGIN')
    await client.query(`SELECT FROM ${world.table} WHERE key = '1' FOR UPDATE`)
    expect(await log.next('renewed')).toMatchObject({ key: '2' })
    await client.query('ROLLBACK')
    client.release()
    await one.refresh()
    expect([one.held, two.held]).toEqual([true, true])
  })
})

describe.each(routes)('on %s the time that is left', (route) => {
  test('is ensured without a heartbeat where it is enough, and by one where it is not', async () => {
    await using world = await lockWorld(route, { ttlMs: 20_000, heartbeatMs: 5_000, marginMs: 200 })
    const statements = statementLog(world.db)
    const lease = await world.another({}, statements.db).acquire('job')
    await lease.ensure(1_000)
    expect(statements.kinds).toEqual(['acquire'])
    await sleep(500)
    await lease.ensure(19_450)
    expect(statements.kinds).toEqual(['acquire', 'renew'])
    expect(lease.expiresInMs).toBeGreaterThan(19_400)
  })

  test('is not ensured for longer than a lease lasts, nor for a lock that was released', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    await expect(lease.ensure(QUICK.ttlMs)).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
    await lease.release()
    await expect(lease.ensure(2)).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
  })

  test('is zero after a release', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect([lease.held, lease.expiresInMs > 0]).toEqual([true, true])
    await lease.release()
    expect([lease.held, lease.expiresInMs]).toEqual([false, 0])
    expect(lease.signal.aborted).toBe(false)
  })

  test('runs out for the holder while the lock still keeps others away', async () => {
    await using world = await lockWorld(route, { ttlMs: 1_400, heartbeatMs: 200, marginMs: 800 })
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const lease = await world.another({}, db).acquire('job')
    await once(lease.signal, 'abort')
    expect((await world.locks.inspect('job'))!.expiresInMs).toBeGreaterThan(0)
    expect(lease.held).toBe(false)
  })

  test('runs out later by as long as heartbeats went on', async () => {
    await using world = await lockWorld(route, SHORT)
    const log = eventLog()
    const statements = statementLog(world.db, (kind) => {
      if (kind === 'renew' && statements.count('renew') > 3) throw cut()
    })
    const startedAt = performance.now()
    await world.another({ onEvent: log.onEvent }, statements.db).acquire('job')
    await log.next('lost')
    expect(log.ofType('renewed')).toHaveLength(3)
    expect(performance.now() - startedAt).toBeGreaterThan(SHORT.ttlMs - SHORT.marginMs + SHORT.heartbeatMs)
  })
})

describe.each(routes)('on %s what is noted with a lock', (route) => {
  test('is nothing where nothing was given', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    expect(await world.locks.inspect('job')).toMatchObject({ info: null })
  })

  test('is shown to another client, also when that is refused', async () => {
    await using world = await lockWorld(route, QUICK)
    const info = { data: 'test data', additional: { attribute: ['ok', 1, null] } }
    await world.locks.acquire('job', { info })
    expect(await world.another().inspect('job')).toMatchObject({ info })
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false, info })
  })

  test('may have any names, also those of our own columns', async () => {
    await using world = await lockWorld(route, QUICK)
    const info = { key: 'x', token: 1, holder_id: 'y', expires_at: 'z', info: { data: true } }
    await world.locks.acquire('job', { info })
    expect(await world.locks.inspect('job')).toMatchObject({ key: 'job', info })
  })

  test.each(['released', 'expired'])('goes with its lock: one that was %s leaves nothing to the next', async (how) => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { info: 'old' })
    await (how === 'released' ? lease.release() : world.expire('job'))
    await world.another().acquire('job')
    expect(await world.locks.inspect('job')).toMatchObject({ info: null })
  })

  test.each(['released', 'expired'])(
    'leaves alone a column that others have added, when a lock that was %s is acquired again',
    async (how) => {
      await using world = await lockWorld(route, QUICK)
      const lease = await world.locks.acquire('job')
      await world.db.query(`ALTER TABLE ${world.table} ADD COLUMN note text`)
      await world.db.query(`UPDATE ${world.table} SET note = 'do not delete', last_refreshed_at = clock_timestamp()`)
      await lease.refresh()
      await (how === 'released' ? lease.release() : world.expire('job'))
      const next = await world.another().acquire('job', { waitMs: 5_000 })
      await next.refresh()
      expect(await world.row('job')).toMatchObject({ note: 'do not delete' })
      expect(await world.another().inspect('job')).toMatchObject({ token: next.token })
    },
  )

  test('is not shown where a lease is printed: key, token, and whether it is held', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('testKey1', { info: 'secret' })
    const printed = JSON.parse(JSON.stringify(lease))
    expect(printed).toEqual({
      key: 'testKey1',
      token: String(lease.token),
      held: true,
      expiresInMs: expect.any(Number),
    })
  })
})

describe('times of a client', () => {
  const db = { query: async () => ({ rows: [] }) }

  test.each([
    ['a heartbeat that is nearly as long as the lease', { ttlMs: 5_000, heartbeatMs: 4_000 }],
    ['a margin that is longer than the lease', { ttlMs: 5_000, heartbeatMs: 1_000, marginMs: 6_000 }],
    ['a margin that leaves no time for heartbeats', { ttlMs: 5_000, heartbeatMs: 1_000, marginMs: 2_500 }],
    ['a margin below 0', { ttlMs: 5_000, heartbeatMs: 1_000, marginMs: -1 }],
  ])('are refused where they have %s', (_, times) => {
    expect(() => createLocks(db, times)).toThrow(expect.objectContaining({ code: 'LOCK_BAD_OPTIONS' }))
  })
})
