/**
 * What verrou's store conformance suite, and its tests of locks and drivers, ask of a lock; in the terms of this
 * package. Suite: Julien-R44/verrou at d9d7fa1, packages/verrou/src/test_suite.ts and packages/verrou/tests.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { lockWorld, routes } from '../world/lock-world.ts'
import { eventLog } from './event-log.ts'
import { cut, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }
const TRUST_MS = QUICK.ttlMs - QUICK.marginMs

describe.each(routes)('on %s a key', (route) => {
  test('that nobody has taken is free', async () => {
    await using world = await lockWorld(route, QUICK)
    expect(await world.locks.inspect('job')).toBeNull()
    expect(await world.locks.list()).toEqual([])
  })

  test('that was taken is held, whoever looks', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    for (const locks of [world.locks, world.another()]) {
      expect(await locks.inspect('job')).toMatchObject({ token: lease.token, holder: { pid: process.pid } })
    }
  })

  test('names its owner: host, process, label, and an id that no other has', async () => {
    await using world = await lockWorld(route, {
      ...QUICK,
      holder: { host: 'here', pid: 7, label: 'worker' },
    })
    await world.locks.acquire('a')
    await world.another().acquire('b')
    const [a, b] = await world.locks.list()
    expect(a).toMatchObject({ key: 'a', holder: { host: 'here', pid: 7, label: 'worker' } })
    expect(b!.holder!.id).not.toBe(a!.holder!.id)
  })

  test('goes to a waiter only after its holder released it', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    let released = false
    const waiting = world
      .another()
      .acquire('job')
      .then((next) => ({ next, released }))
    await sleep(50)
    released = true
    await lease.release()
    expect(await waiting).toMatchObject({ released: true })
  })

  test('cannot be released by a lease that lost it', async () => {
    await using world = await lockWorld(route, QUICK)
    const older = await world.locks.acquire('job')
    await world.expire('job')
    const holder = await world.another().acquire('job')
    expect(await older.release()).toBe(false)
    expect(await world.locks.inspect('job')).toMatchObject({
      token: holder.token,
      holder: { pid: process.pid },
    })
  })

  test('that is not acquired within waitMs ends in a timeout, neither much earlier nor much later', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    const startedAt = performance.now()
    await expect(world.another().acquire('job', { waitMs: 250 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(250)
    expect(performance.now() - startedAt).toBeLessThan(1_500)
  })

  test('that another has is refused at once by tryAcquire, with one statement', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    const log = statementLog(world.db)
    expect(await world.another({}, log.db).tryAcquire('job')).toMatchObject({ acquired: false })
    expect(log.kinds).toEqual(['acquire'])
  })

  test('can be broken by an operator without its lease, which then is lost', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect(await world.another().break('job', { force: true })).toMatchObject({ verdict: 'broken' })
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'broken' })
    await expect(lease.refresh()).rejects.toMatchObject({ reason: 'broken' })
  })

  test.each(['the same locks', 'other locks'])('that has expired is free, and taken by %s', async (who) => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    await world.expire('job')
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null })
    const next = await (who === 'other locks' ? world.another() : world.locks).tryAcquire('job')
    expect(next).toMatchObject({ acquired: true })
    expect(await world.locks.inspect('job')).toMatchObject({ holder: { pid: process.pid } })
  })

  test('lasts as long as its own ttlMs, and is renewed for as long', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { ttlMs: 900 })
    const lasts = async () => {
      const { expires_at, last_refreshed_at } = await world.row('job')
      return expires_at - last_refreshed_at
    }
    expect(await lasts()).toBe(900)
    await lease.refresh()
    expect(await lasts()).toBe(900)
    expect(lease.expiresInMs).toBeLessThanOrEqual(900 - QUICK.marginMs)
  })

  test('lasts as long as that of all where it has no ttlMs', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    const { expires_at, last_refreshed_at } = await world.row('job')
    expect(expires_at - last_refreshed_at).toBe(QUICK.ttlMs)
  })
})

describe.each(routes)('on %s a lease', (route) => {
  test('knows how long it is held without a heartbeat', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect(lease.held).toBe(true)
    expect(lease.expiresInMs).toBeLessThanOrEqual(TRUST_MS)
    expect(lease.expiresInMs).toBeGreaterThan(TRUST_MS - 1_000)
  })

  test('has its whole time again after a refresh', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    const lease = await world.locks.acquire('job')
    await world.db.query(`UPDATE ${world.table} SET expires_at = clock_timestamp() + interval '400 milliseconds'`)
    await sleep(50)
    const before = lease.expiresInMs
    await lease.refresh()
    expect(lease.expiresInMs).toBeGreaterThan(before)
    await sleep(400)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false })
  })

  test('has no more time than before where the refresh fails', async () => {
    await using world = await lockWorld(route, QUICK)
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const lease = await world.another({}, db).acquire('job')
    const before = lease.expiresInMs
    await expect(lease.refresh()).rejects.toMatchObject({ code: 'LOCK_FAILED' })
    expect(lease.expiresInMs).toBeLessThanOrEqual(before)
    expect(lease.held).toBe(true)
  })

  test('is over when its time has passed without a heartbeat', async () => {
    await using world = await lockWorld(route, { ttlMs: 500, heartbeatMs: 120, marginMs: 50 })
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const lease = await world.another({}, db).acquire('job')
    await once(lease.signal, 'abort')
    expect([lease.held, lease.expiresInMs]).toEqual([false, 0])
  })

  test('that was released cannot be refreshed', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    await lease.release()
    await expect(lease.refresh()).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
    expect(lease.expiresInMs).toBe(0)
  })

  test('is not shortened by attempts that are refused', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    const lease = await world.locks.acquire('job')
    const before = await world.row('job')
    await world.another().tryAcquire('job')
    await expect(world.another().acquire('job', { waitMs: 0 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    })
    expect(await world.row('job')).toEqual(before)
    expect(lease.held).toBe(true)
  })

  test('reports what happens to it', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const lease = await world.another({ onEvent: log.onEvent }).acquire('job')
    await lease.refresh()
    await lease.release()
    expect(log.types()).toEqual(['acquired', 'renewed', 'released'])
    expect(log.events.map(({ key, token }) => [key, token])).toEqual(Array(3).fill(['job', lease.token]))
  })
})

describe.each(routes)('on %s withLock', (route) => {
  test('returns what the work returns, and its type', async () => {
    await using world = await lockWorld(route, QUICK)
    expect(await world.locks.withLock('job', {}, async () => 'result')).toBe('result')
    const running = world.locks.withLock('job', {}, () => Promise.resolve(42))
    expectTypeOf(running).toEqualTypeOf<Promise<number>>()
    expect(await running).toBe(42)
  })

  test.each([
    ['rejects', () => Promise.reject(new Error('the work failed'))],
    [
      'throws',
      () => {
        throw new Error('the work failed')
      },
    ],
  ])('of work that %s passes the error on and gives the key free', async (_, work) => {
    await using world = await lockWorld(route, QUICK)
    await expect(world.locks.withLock('job', {}, work)).rejects.toThrow('the work failed')
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('holds the key while the work runs, and not after', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.withLock('job', {}, async (lease) => {
      expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false, token: lease.token })
    })
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'released' })
  })

  test('does not run the work where the key cannot be acquired', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    let ran = false
    const refused = world.another().withLock('job', { waitMs: 0 }, async () => {
      ran = true
    })
    await expect(refused).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' })
    expect(ran).toBe(false)
  })

  test.each(['the same locks', 'other locks'])('runs one at a time for %s', async (who) => {
    await using world = await lockWorld(route, QUICK)
    let inside = 0
    let turns = 0
    const turn = () =>
      (who === 'other locks' ? world.another() : world.locks).withLock('job', {}, async () => {
        expect(++inside).toBe(1)
        await sleep(20)
        inside--
        turns++
      })
    await Promise.all([turn(), turn(), turn()])
    expect(turns).toBe(3)
  })
})

describe.each(routes)('on %s the table', (route) => {
  test('has the name that was asked for, is made by migrate alone, and only once', async () => {
    await using world = await lockWorld(route, QUICK)
    const locks = world.another({ table: `${world.table}_named` })
    const made = async () => {
      const { rows } = await world.db.query('SELECT to_regclass($1) IS NOT NULL AS made', [`${world.table}_named`])
      return rows[0].made
    }
    await expect(locks.tryAcquire('job')).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
    expect(await made()).toBe(false)
    await locks.migrate()
    await locks.acquire('job')
    await locks.migrate()
    expect(await locks.inspect('job')).toMatchObject({ holder: { pid: process.pid } })
    expect(await made()).toBe(true)
    expect(await world.row('job')).toBeUndefined()
    await locks.close()
    await world.db.query(`DROP TABLE ${world.table}_named`)
  })
})
