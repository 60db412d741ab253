import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import type { Queryable } from '../src/index.ts'
import { isRenewal, lockWorld, routes } from './world/lock-world.ts'

const cut = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

describe.each(routes)('on %s a lease', (route) => {
  test('whose renewal was done and its reply lost goes on: the next one confirms it', async () => {
    await using world = await lockWorld(route)
    let lose = true
    const lossy: Queryable = {
      async query(text, params) {
        const result = await world.db.query(text, params)
        if (lose && isRenewal(text)) throw cut()
        return result
      },
    }
    const lease = await world.another({}, lossy).acquire('job')
    await expect(lease.refresh()).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      cause: { code: 'ECONNRESET' },
    })
    expect(lease.held).toBe(true)
    lose = false
    await lease.refresh()
    expect(lease.held).toBe(true)
  })

  test('that was taken and the reply lost does not stand in the way of its own retry', async () => {
    await using world = await lockWorld(route)
    let replies = 0
    const lossy: Queryable = {
      async query(text, params) {
        const result = await world.db.query(text, params)
        if (++replies === 1) throw cut()
        return result
      },
    }
    const attempt = await world.another({}, lossy).tryAcquire('job')
    expect(attempt).toMatchObject({ acquired: true })
    expect(BigInt((await world.row('job')).token)).toBe(attempt.acquired && attempt.lease.token)
  })

  test('whose renewal succeeds after the deadline stays lost', async () => {
    await using world = await lockWorld(route, { ttlMs: 900, heartbeatMs: 100, marginMs: 100 })
    const late = Promise.withResolvers<void>()
    const slow: Queryable = {
      async query(text, params) {
        const result = await world.db.query(text, params)
        if (isRenewal(text)) await late.promise
        return result
      },
    }
    const lease = await world.another({}, slow).acquire('job')
    const refreshing = lease.refresh()
    await Promise.all([
      once(lease.signal, 'abort'),
      // Whoever waits for the renewal is told so then, and not when the answer is given up.
      expect(refreshing).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'unreachable' }),
    ])
    late.resolve()
    await setImmediate()
    expect(lease.held).toBe(false)
  })

  test('whose time ran out in the database is not revived by a renewal, though nobody has taken it', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job')
    await world.expire('job')
    const expired = await world.row('job')
    await expect(lease.refresh()).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'expired', token: lease.token })
    expect(await world.row('job')).toEqual(expired)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('whose renewal is answered late is held from when that was sent, not from its answer', async () => {
    await using world = await lockWorld(route, { ttlMs: 90_000, heartbeatMs: 15_000, marginMs: 2_000 })
    const now = performance.now.bind(performance)
    let aheadMs = 0
    using _ = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
    const slow: Queryable = {
      async query(text, params) {
        const result = await world.db.query(text, params)
        if (isRenewal(text)) aheadMs += 30_000
        return result
      },
    }
    const lease = await world.another({}, slow).acquire('job')
    await lease.refresh()
    expect(lease.held).toBe(true)
    expect(lease.expiresInMs).toBeLessThanOrEqual(90_000 - 2_000 - 30_000)
  })

  test('that is lost says so once', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job')
    let told = 0
    lease.signal.addEventListener('abort', () => told++)
    await world.another().break('job', { force: true })
    await expect(lease.refresh()).rejects.toMatchObject({
      code: 'LEASE_LOST',
      reason: 'broken',
      key: 'job',
      token: lease.token,
    })
    await expect(lease.refresh()).rejects.toBe(lease.signal.reason)
    expect(() => lease.assertHeld()).toThrow(lease.signal.reason)
    expect(lease.signal.reason.lastConfirmedAt).toBeInstanceOf(Date)
    expect(told).toBe(1)
  })

  test('whose row was deleted is lost, and its token never comes again', async () => {
    await using world = await lockWorld(route)
    const first = await world.locks.acquire('job')
    await world.db.query(`DELETE FROM ${world.table}`)
    await expect(first.refresh()).rejects.toMatchObject({ reason: 'deleted' })
    const second = await world.locks.acquire('job')
    expect(second.token).toBeGreaterThan(first.token)
    await world.db.query(`TRUNCATE ${world.table}`)
    await expect(second.refresh()).rejects.toMatchObject({ reason: 'deleted' })
    expect((await world.locks.acquire('job')).token).toBeGreaterThan(second.token)
  })

  test('of an older term of the same process cannot renew, release or write in the newer one', async () => {
    await using world = await lockWorld(route)
    const older = await world.locks.acquire('job')
    await world.expire('job')
    const newer = await world.locks.acquire('job')
    const { text, params } = older.fenceSql(1)
    expect((await world.db.query(text, params)).rows).toEqual([])
    await expect(older.refresh()).rejects.toMatchObject({ reason: 'taken' })
    expect(await older.release()).toBe(false)
    await newer.refresh()
    expect(newer.held).toBe(true)
  })

  test('is told so by a beat that confirms a newer lease of its key in the same process', async () => {
    await using world = await lockWorld(route, { ttlMs: 2_000, heartbeatMs: 300, marginMs: 200 })
    const older = await world.locks.acquire('job')
    await world.another().break('job', { force: true })
    const newer = await world.locks.acquire('job')
    if (!older.signal.aborted) await once(older.signal, 'abort')
    expect(older.signal.reason).toMatchObject({ reason: 'broken', token: older.token })
    await newer.refresh()
    expect(newer.held).toBe(true)
  })

  test('may be released while a heartbeat is under way, which is no loss', async () => {
    await using world = await lockWorld(route)
    const go = Promise.withResolvers<void>()
    const slow: Queryable = {
      async query(text, params) {
        if (isRenewal(text)) await go.promise
        return world.db.query(text, params)
      },
    }
    const lease = await world.another({}, slow).acquire('job')
    const refreshing = lease.refresh()
    expect(await lease.release()).toBe(true)
    go.resolve()
    await expect(refreshing).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
    expect(lease.signal.aborted).toBe(false)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('never hides an error of the work by an error of its release', async () => {
    await using world = await lockWorld(route)
    let down = false
    const failing: Queryable = {
      query: (text, params) => (down ? Promise.reject(cut()) : world.db.query(text, params)),
    }
    const locks = world.another({}, failing)
    const work = locks.withLock('job', {}, async () => {
      down = true
      throw new Error('the work failed')
    })
    await expect(work).rejects.toThrow('the work failed')
    down = false
  })
})
