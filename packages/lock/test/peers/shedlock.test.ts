/**
 * What ShedLock's conformance suites for its lock providers ask of a lock; in the terms of this package.
 * Suite: lukas-krecan/ShedLock at 2495b14, shedlock-test-support, shedlock-test-support-jdbc and the storage accessor
 * tests of shedlock-provider-jdbc-template.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks, type Locks } from '../../src/index.ts'
import { lockWorld, routes, serverRoutes } from '../world/lock-world.ts'
import { cut, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }

describe.each(routes)('on %s a lock', (route) => {
  test('is locked when it was taken, and unlocked when it was released', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect((await world.locks.inspect('job'))!.expiresInMs).toBeGreaterThan(0)
    await lease.release()
    expect((await world.locks.inspect('job'))!.expiresInMs).toBeLessThanOrEqual(0)
  })

  test('cannot be acquired a second time', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    expect(await world.locks.tryAcquire('job')).toMatchObject({ acquired: false })
  })

  test('does not hinder one of another name', async () => {
    await using world = await lockWorld(route, QUICK)
    const one = await world.locks.acquire('one')
    const two = await world.locks.acquire('two', { waitMs: 0 })
    expect([await one.release(), await two.release()]).toEqual([true, true])
  })

  test('can be acquired again right after each of ten releases, and by nobody in between', async () => {
    await using world = await lockWorld(route, QUICK)
    const other = world.another()
    for (let n = 0; n < 10; n++) {
      const lease = await world.locks.acquire('job', { waitMs: 0 })
      expect(await other.tryAcquire('job')).toMatchObject({ acquired: false })
      await lease.release()
    }
  })

  test('expires when its holder is gone, and can be acquired again', async () => {
    await using world = await lockWorld(route, QUICK)
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    await world.another({ marginMs: 50 }, db).acquire('job', { ttlMs: 200 })
    await world.locks.acquire('job', { waitMs: 5_000 })
  })

  test('replaces an expired row that another program left', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.db.query(
      `INSERT INTO ${world.table} (key, holder_pid, holder_host, acquired_at, expires_at)
       SELECT 'job', 1, 'me', yesterday, yesterday FROM (SELECT clock_timestamp() - interval '1 day') AS t (yesterday)`,
    )
    const lease = await world.locks.acquire('job', { waitMs: 0 })
    expect(await lease.release()).toBe(true)
  })

  test('that is refused changes nothing in the row', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    await world.locks.acquire('job')
    const before = await world.row('job')
    await world.another().tryAcquire('job', { ttlMs: 60_000, info: 'another', atLeastMs: 60_000 })
    expect(await world.row('job')).toEqual(before)
  })

  test('that is taken, renewed or released changes nothing in the row of another', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    await world.another().acquire('other', { ttlMs: 60_000 })
    const before = await world.row('other')
    const lease = await world.locks.acquire('job')
    await lease.refresh()
    await world.expire('job')
    await world.locks.acquire('job').then((next) => next.release())
    expect(await world.row('other')).toEqual(before)
  })

  test('of a name that is too long, or empty, is refused before anything is sent', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = statementLog(world.db)
    for (const key of ['', 'lorem ipsum '.repeat(100)])
      await expect(world.another({}, log.db).tryAcquire(key)).rejects.toMatchObject({ code: 'LOCK_BAD_KEY' })
    expect(log.kinds).toEqual([])
  })
})

describe.each(routes)('on %s a lock with a minimum time', (route) => {
  test('stays refused to others after an early release, until that time is over', async () => {
    await using world = await lockWorld(route, QUICK)
    const startedAt = performance.now()
    const lease = await world.locks.acquire('job', { atLeastMs: 500 })
    expect(await lease.release()).toBe(true)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false })
    expect(await world.locks.tryAcquire('job')).toMatchObject({ acquired: false })
    const next = await world.another().acquire('job', { waitMs: 10_000 })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500)
    expect(next.token).toBeGreaterThan(lease.token)
  })

  test('is free at once when it is released after that time', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { atLeastMs: 50 })
    await sleep(60)
    await lease.release()
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('counts that time from its acquisition, however often it was renewed', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { atLeastMs: 1_500 })
    await lease.refresh()
    await lease.refresh()
    await lease.release()
    const { acquired_at, expires_at } = await world.row('job')
    expect(expires_at - acquired_at).toBe(1_500)
  })

  test('has no holder in that time, shows who had it last, and can be broken', async () => {
    await using world = await lockWorld(route, { ...QUICK, holder: { host: 'here' } })
    const lease = await world.locks.acquire('job', { atLeastMs: 30_000, ttlMs: 60_000 })
    await lease.release()
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'released' })
    expect(await world.another().tryAcquire('job')).toMatchObject({ holder: { host: 'here' } })
    expect(await world.another().break('job', { force: true })).toMatchObject({ verdict: 'broken' })
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('keeps to it in withLock too, whether the work succeeds or fails', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.withLock('good', { atLeastMs: 1_500 }, async () => {})
    await world.locks.withLock('bad', { atLeastMs: 1_500 }, () => Promise.reject(new Error('x'))).catch(() => {})
    for (const key of ['good', 'bad']) expect(await world.another().tryAcquire(key)).toMatchObject({ acquired: false })
  })

  test('is refused where that time is negative or not a number', async () => {
    await using world = await lockWorld(route, QUICK)
    for (const atLeastMs of [-1, Number.NaN])
      await expect(world.locks.tryAcquire('job', { atLeastMs })).rejects.toMatchObject({
        code: 'LOCK_BAD_OPTIONS',
      })
  })

  test('may be longer than ttlMs, to which a holder that dies keeps others away all the same', async () => {
    await using world = await lockWorld(route, QUICK)
    const released = await world.locks.acquire('released', { atLeastMs: QUICK.ttlMs * 30 })
    await released.release()
    expect((await world.locks.inspect('released'))!.expiresInMs).toBeGreaterThan(QUICK.ttlMs)
    await world.locks.acquire('dead', { atLeastMs: QUICK.ttlMs * 30 })
    expect((await world.locks.inspect('dead'))!.expiresInMs).toBeLessThanOrEqual(QUICK.ttlMs)
  })
})

describe.each(routes)('on %s an extension', (route) => {
  test('keeps a lock past its first end, again and again, until it is released', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { ttlMs: 900 })
    for (let n = 0; n < 3; n++) {
      await sleep(310)
      await lease.refresh()
    }
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false })
    await lease.release()
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('of a lock that was released is refused, and leaves it free', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    await lease.release()
    await expect(lease.ensure(1_000)).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null })
  })

  test('of a lock that has expired is refused, and leaves it free', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    await world.expire('job')
    await expect(lease.refresh()).rejects.toMatchObject({ reason: 'expired' })
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })
})

/** Increments a counter under a lock, by reading it, waiting, and writing one more: without the lock, some are lost. */
async function fuzz(workers: Locks[], rounds: number, around = (run: () => Promise<void>) => run()) {
  const counters = new Map([
    ['one', 0],
    ['two', 0],
  ])
  await Promise.all(
    workers.map((locks, n) =>
      around(async () => {
        const key = n % 2 === 0 ? 'one' : 'two'
        for (let done = 0; done < rounds; done++) {
          await locks.withLock(key, { atLeastMs: 5 }, async () => {
            const seen = counters.get(key)!
            await sleep(1)
            counters.set(key, seen + 1)
          })
        }
      }),
    ),
  )
  return [...counters.values()]
}

describe.each(routes)('on %s many workers', (route) => {
  test('with two locks lose no update', async () => {
    await using world = await lockWorld(route, QUICK)
    const workers = Array.from({ length: 8 }, () => world.another())
    expect(await fuzz(workers, 5)).toEqual([20, 20])
  })
})

describe.each(serverRoutes.filter((route) => route !== 'pgbouncer'))('on %s many workers', (route) => {
  test('that each have a transaction open lose no update', async () => {
    await using world = await lockWorld(route, QUICK)
    const workers = Array.from({ length: 8 }, () => world.another())
    const inTransaction = async (run: () => Promise<void>) => {
      const client = await (world.db as pg.Pool).connect()
      await client.query('BEGIN')
      await client.query(`SELECT count(*) FROM ${world.table}`)
      await run()
      await client.query('COMMIT')
      client.release()
    }
    expect(await fuzz(workers, 5, inTransaction)).toEqual([20, 20])
  })

  test('under serializable isolation lose no update', async () => {
    await using world = await lockWorld(route, QUICK)
    const options = '-c default_transaction_isolation=serializable'
    const pool = new pg.Pool({ connectionString: world.url, options })
    const workers = Array.from({ length: 8 }, () => world.another({}, pool))
    expect(await fuzz(workers, 5)).toEqual([20, 20])
    await Promise.all(workers.map((locks) => locks.close()))
    await pool.end()
  })

  test('in sessions of different time zones agree on when a lease ends', async () => {
    await using world = await lockWorld(route, QUICK)
    const options = '-c TimeZone=America/Los_Angeles -c DateStyle=SQL,DMY'
    const pool = new pg.Pool({ connectionString: world.url, options })
    const far = createLocks(pool, { ...QUICK, table: world.table })
    const lease = await far.acquire('job', { ttlMs: 60_000 })
    for (const state of [await far.inspect('job'), await world.locks.inspect('job')]) {
      expect(state!.expiresInMs).toBeGreaterThan(50_000)
      expect(Math.abs(state!.acquiredAt.getTime() - Date.now())).toBeLessThan(60_000)
    }
    expect(await world.locks.tryAcquire('job')).toMatchObject({ acquired: false })
    await lease.release()
    await world.locks.acquire('job', { waitMs: 0 })
    await far.close()
    await pool.end()
  })
})
