/**
 * What the tests of the Amazon DynamoDB lock client ask of acquiring, waiting, releasing and listing; in the terms of
 * this package. Suite: awslabs/amazon-dynamodb-lock-client at 601eab1, BasicLockClientTests, AmazonDynamoDBLockClientTest,
 * GetAllLocksTests, GetLocksByPartitionKeyTest and ConsistentLockDataStressTest.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { lockWorld, routes } from '../world/lock-world.ts'
import { cut, sqlError, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }

describe.each(routes)('on %s a client', (route) => {
  test('acquires a lock under its own name', async () => {
    await using world = await lockWorld(route, { ...QUICK, holder: { label: 'integrationTester' } })
    await world.locks.acquire('testKey1', { info: { data: 'test data' } })
    expect(await world.locks.inspect('testKey1')).toMatchObject({
      holder: { label: 'integrationTester' },
      info: { data: 'test data' },
    })
  })

  test('without a name of its own has that of its host and process', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    expect(await world.locks.inspect('job')).toMatchObject({ holder: { pid: process.pid, label: null } })
    expect((await world.locks.inspect('job'))!.holder!.host).not.toBe('')
  })

  test('gets LOCK_NOT_MIGRATED where the table is missing', async () => {
    await using world = await lockWorld(route, QUICK)
    expect(await world.locks.list()).toEqual([])
    const noTable = world.another({ table: 'nowhere' })
    await expect(noTable.list()).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
    await expect(noTable.acquire('job')).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
  })

  test('keeps its locks by heartbeats, for longer than they would last', async () => {
    await using world = await lockWorld(route, { ttlMs: 1_200, heartbeatMs: 200, marginMs: 200 })
    await Promise.all([world.locks.acquire('a'), world.locks.acquire('b')])
    await sleep(1_250)
    for (const key of ['a', 'b']) expect(await world.another().tryAcquire(key)).toMatchObject({ acquired: false })
  })

  test('loses its locks without heartbeats, and others get them', async () => {
    await using world = await lockWorld(route, { ttlMs: 400, heartbeatMs: 100, marginMs: 100 })
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const silent = world.another({}, db)
    await Promise.all([silent.acquire('a'), silent.acquire('b')])
    await Promise.all([world.locks.acquire('a'), world.locks.acquire('b')])
  })

  test('waits longer for a lock that is renewed while it waits', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    const lease = await world.locks.acquire('job')
    await world.db.query(`UPDATE ${world.table} SET expires_at = clock_timestamp() + interval '500 milliseconds'`)
    const waiting = world.another().acquire('job', { waitMs: 700 })
    await sleep(50)
    await lease.refresh()
    await expect(waiting).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' })
    expect(lease.held).toBe(true)
  })

  test('gets a lock by waiting where its holder stays silent', async () => {
    await using world = await lockWorld(route, QUICK)
    const silent = await world.locks.acquire('job')
    await world.db.query(`UPDATE ${world.table} SET expires_at = clock_timestamp() + interval '100 milliseconds'`)
    const lease = await world.another().acquire('job', { waitMs: 5_000 })
    expect(lease.held).toBe(true)
    expect(await silent.release()).toBe(false)
    expect(await world.locks.inspect('job')).toMatchObject({ token: lease.token })
  })

  test.each([
    ['was never taken', async () => {}],
    [
      'was released',
      (world: any) =>
        world
          .another()
          .acquire('job')
          .then((lease: any) => lease.release()),
    ],
    [
      'has expired',
      (world: any) =>
        world
          .another()
          .acquire('job')
          .then(() => world.expire('job')),
    ],
  ])('gets a lock that %s without waiting', async (_, before) => {
    await using world = await lockWorld(route, QUICK)
    await before(world)
    expect(await world.locks.tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('that loses the race for an expired lock is refused, whoever wins it', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.another().acquire('job')
    await world.expire('job')
    const attempts = await Promise.all(Array.from({ length: 6 }, () => world.another().tryAcquire('job')))
    expect(attempts.filter(({ acquired }) => acquired)).toHaveLength(1)
  })

  test('does not get a lock that it has itself, neither at once nor by waiting', async () => {
    await using world = await lockWorld(route, QUICK)
    const { token } = await world.locks.acquire('job')
    expect(await world.locks.tryAcquire('job')).toMatchObject({ acquired: false, token })
    await expect(world.locks.acquire('job', { waitMs: 50 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' })
  })

  test.each([
    ['is away', cut],
    ['has too many connections', () => sqlError('53300')],
  ])('waits through a database that %s, and says so when its time is over', async (_, fault) => {
    await using world = await lockWorld(route, QUICK)
    const log = statementLog(world.db, () => {
      throw fault()
    })
    await expect(world.another({}, log.db).acquire('job', { waitMs: 300 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      cause: { code: 'LOCK_FAILED', cause: fault() },
    })
    expect(log.count('acquire')).toBeGreaterThanOrEqual(3)
  })

  test('that closes releases all its locks, without reporting a loss', async () => {
    await using world = await lockWorld(route, QUICK)
    const client = world.another()
    const leases = await Promise.all(['1', '2', '3'].map((key) => client.acquire(key)))
    await client.close()
    expect(await world.locks.list()).toEqual([])
    expect(leases.map(({ signal }) => signal.aborted)).toEqual([false, false, false])
    await expect(client.acquire('4')).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
  })
})

describe.each(routes)('on %s a release', (route) => {
  test('lets the next acquire at once, also under a different name', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false })
    await lease.release()
    const next = world.another({ holder: { label: 'integrationTester2' } })
    expect(await next.tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('of a lock that has expired succeeds where nobody has taken it since', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    await world.expire('job')
    expect(await lease.release()).toBe(true)
    expect(await world.locks.list()).toEqual([])
  })

  test('of a lock that another has by now fails, and leaves it to that one', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    await world.expire('job')
    const thief = world.another({ holder: { label: 'integrationTester2' } })
    await thief.acquire('job')
    expect(await lease.release()).toBe(false)
    expect(await world.locks.inspect('job')).toMatchObject({ holder: { label: 'integrationTester2' } })
  })

  test('that fails says so, and can be tried again', async () => {
    await using world = await lockWorld(route, QUICK)
    let down = true
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'release' && down) throw cut()
    })
    const lease = await world.another({}, db).acquire('job')
    await expect(lease.release()).rejects.toMatchObject({ code: 'LOCK_FAILED', cause: cut() })
    down = false
    expect(await lease.release()).toBe(true)
  })

  test('at the end of a block is done as well as it can: its fault is nobody’s error', async () => {
    await using world = await lockWorld(route, QUICK)
    let down = true
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'release' && down) throw cut()
    })
    {
      await using _ = await world.another({}, db).acquire('job')
    }
    expect(await world.another({}, db).withLock('other', {}, async () => 'done')).toBe('done')
    down = false
  })
})

describe.each(routes)('on %s locks', (route) => {
  test('that do not exist are null, and not listed', async () => {
    await using world = await lockWorld(route, QUICK)
    expect(await world.locks.inspect('lock1')).toBeNull()
    expect(await world.locks.list({ prefix: 'lock' })).toEqual([])
  })

  test('are listed as they were acquired, until they are released', async () => {
    await using world = await lockWorld(route, QUICK)
    const first = await world.locks.acquire('Test 1', { info: 'data' })
    const second = await world.locks.acquire('Test 2', { info: 'different data' })
    expect(await world.locks.list()).toMatchObject([
      { key: 'Test 1', token: first.token, info: 'data' },
      { key: 'Test 2', token: second.token, info: 'different data' },
    ])
    await first.release()
    expect(await world.locks.list()).toMatchObject([{ key: 'Test 2', token: second.token }])
    await second.release()
    expect(await world.locks.list()).toEqual([])
  })

  test('are listed by the beginning of their keys, taken literally', async () => {
    await using world = await lockWorld(route, QUICK)
    for (const key of ['a%/1', 'a%/2', 'ab/1', 'b/1']) await world.locks.acquire(key)
    const keys = async (prefix: string) => (await world.locks.list({ prefix })).map(({ key }) => key)
    expect(await keys('a%/')).toEqual(['a%/1', 'a%/2'])
    expect(await keys('a%/1_different')).toEqual([])
    expect(await keys('')).toHaveLength(4)
  })

  test('are all listed, however much was noted with them', async () => {
    await using world = await lockWorld(route, QUICK)
    const large = 'x'.repeat(400_000)
    for (let n = 0; n < 4; n++) await world.locks.acquire(`job ${n}`, { info: large + n })
    const infos = (await world.locks.list()).map(({ info }) => info)
    expect(infos).toEqual([0, 1, 2, 3].map((n) => large + n))
  })

  test('of keys that look alike are different ones', async () => {
    await using world = await lockWorld(route, QUICK)
    const keys = ['abc', 'ab c', 'ABC', 'abc ', '\u00e9', 'e\u0301', '1', '01']
    const leases = await Promise.all(keys.map((key) => world.locks.acquire(key, { waitMs: 5_000 })))
    await Promise.all(leases.map((lease) => lease.refresh()))
    expect(await world.locks.list()).toHaveLength(keys.length)
  })

  test('keep a counter in the database right under many clients', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('counter', { info: 0 }).then((lease) => lease.release())
    await world.db.query(`CREATE TABLE ${world.table}_count (n integer)`)
    await world.db.query(`INSERT INTO ${world.table}_count VALUES (0)`)
    const addOne = () =>
      world.another().withLock('counter', {}, async () => {
        const { rows } = await world.db.query(`SELECT n FROM ${world.table}_count`)
        await sleep(Math.random() * 5)
        await world.db.query(`UPDATE ${world.table}_count SET n = $1`, [rows[0].n + 1])
      })
    await Promise.all(Array.from({ length: 20 }, addOne))
    expect((await world.db.query(`SELECT n FROM ${world.table}_count`)).rows).toEqual([{ n: 20 }])
  })
})
