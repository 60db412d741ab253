import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { LeaseLostError, type Queryable } from '../src/index.ts'
import { isRenewal, lockWorld, routes } from './world/lock-world.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }

describe.each(routes)('withLock on %s', (route) => {
  test('rejects with the loss where work that ignores its signal succeeds without the lease', async () => {
    await using world = await lockWorld(route, QUICK)
    const working = world.locks.withLock('job', {}, async (lease) => {
      await world.another().break('job', { force: true })
      await once(lease.signal, 'abort')
      return 'written'
    })
    await expect(working).rejects.toThrow(LeaseLostError)
    await expect(working).rejects.toMatchObject({ reason: 'broken', key: 'job' })
  })

  test('rejects with a loss that only the database knows of when the work ends', async () => {
    await using world = await lockWorld(route)
    const working = world.locks.withLock('job', {}, async () => {
      await world.another().break('job', { force: true })
    })
    await expect(working).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'broken' })
    await using taken = await world.another().acquire('job')
    const taking = world.locks.withLock('other', {}, async () => {
      await world.expire('other')
      await world.another().acquire('other')
    })
    await expect(taking).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'taken' })
    expect(taken.held).toBe(true)
  })

  test('gives the work one signal for the loss and for the caller’s own', async () => {
    await using world = await lockWorld(route)
    const stop = new AbortController()
    const seen: unknown[] = []
    const working = world.locks.withLock('job', { signal: stop.signal }, async (lease, signal) => {
      expect(lease.signal).toBe(signal)
      stop.abort(new Error('enough'))
      seen.push(signal.reason)
      throw signal.reason
    })
    await expect(working).rejects.toThrow('enough')
    expect(seen).toEqual([new Error('enough')])
    const losing = world.locks.withLock('job', { signal: new AbortController().signal }, async (lease, signal) => {
      await world.another().break('job', { force: true })
      await lease.refresh().catch(() => {})
      await sleep(60_000, undefined, { signal })
    })
    await expect(losing).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'broken' })
  })

  test('returns what work brings that has given its lease up itself, and that may wait for the key again then', async () => {
    await using world = await lockWorld(route)
    const result = await world.locks.withLock('job', { atLeastMs: 50 }, async (lease) => {
      await lease.release()
      await using again = await world.locks.acquire('job', { waitMs: 20_000 })
      return again.token > lease.token
    })
    expect(result).toBe(true)
  })

  test('tells its work when the locks are closed', async () => {
    await using world = await lockWorld(route)
    const locks = world.another()
    const started = Promise.withResolvers<void>()
    const working = expect(
      locks.withLock('job', {}, async (_, signal) => {
        started.resolve()
        await once(signal, 'abort')
        throw signal.reason
      }),
    ).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
    await started.promise
    await locks.close()
    await working
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('ends a wait of the key for itself with a word, and not one of others', async () => {
    await using world = await lockWorld(route)
    const nested = world.locks.withLock('job', {}, () => world.locks.withLock('job', {}, async () => {}))
    await expect(nested).rejects.toMatchObject({
      code: 'LOCK_DEADLOCK',
      message: expect.stringContaining('"job"'),
    })
    const order: string[] = []
    await world.locks.withLock('job', {}, async () => {
      await world.locks.withLock('another', {}, async () => void order.push('nested, of another key'))
    })
    // Side by side, one waits for the other.
    await Promise.all(
      ['first', 'second'].map((name) => world.locks.withLock('job', {}, async () => void order.push(name))),
    )
    expect(order.sort()).toEqual(['first', 'nested, of another key', 'second'])
  })
})

describe.each(routes)('on %s a release', (route) => {
  test('keeps others away for as long as the lease was to last at least', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job', { atLeastMs: 60_000 })
    expect(await lease.release()).toBe(true)
    expect(lease.held).toBe(false)
    const { text, params } = lease.fenceSql(1)
    expect((await world.db.query(text, params)).rows).toEqual([])
    const refused = await world.another().tryAcquire('job')
    expect(refused).toMatchObject({ acquired: false, holder: { pid: process.pid } })
    expect(!refused.acquired && refused.expiresInMs).toBeGreaterThan(50_000)
    expect(await world.locks.list()).toEqual([])
    // An operator who wants the job to run now.
    expect(await world.another().break('job')).toMatchObject({ verdict: 'refused' })
    expect(await world.another().break('job', { force: true })).toMatchObject({ verdict: 'broken' })
    expect((await world.another().acquire('job')).token).toBeGreaterThan(lease.token)
  })

  test('after that time gives the key free at once', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job', { atLeastMs: 1 })
    await sleep(5)
    expect(await lease.release()).toBe(true)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('whose reply was lost is known to have been done when it is asked for again', async () => {
    await using world = await lockWorld(route)
    let lose = false
    const lossy: Queryable = {
      async query(text, params) {
        const result = await world.db.query(text, params)
        if (lose && !isRenewal(text)) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
        return result
      },
    }
    const lease = await world.another({}, lossy).acquire('job')
    lose = true
    await expect(lease.release()).rejects.toMatchObject({ code: 'LOCK_FAILED' })
    lose = false
    expect(await lease.release()).toBe(true)
    expect(lease.signal.aborted).toBe(false)
  })
})

describe.each(routes)('on %s a lease', (route) => {
  test('lasts for as long as it was taken for, in a rhythm of its own', async () => {
    await using world = await lockWorld(route, { ttlMs: 90_000, heartbeatMs: 15_000, marginMs: 200 })
    const lease = await world.locks.acquire('short', { ttlMs: 1_500 })
    const long = await world.locks.acquire('long', { ttlMs: 600_000 })
    expect(long.expiresInMs).toBeGreaterThan(500_000)
    expect((await world.locks.inspect('long'))!.expiresInMs).toBeGreaterThan(500_000)
    expect((await world.row('short')).heartbeat_ms).toBe(433)
    await sleep(2_000)
    expect(lease.held).toBe(true)
    await expect(world.locks.acquire('none', { ttlMs: 200 })).rejects.toMatchObject({
      code: 'LOCK_BAD_OPTIONS',
    })
  })

  test('is ensured for a time by a heartbeat where it must, and never for longer than it can last', async () => {
    await using world = await lockWorld(route, { ttlMs: 10_000, heartbeatMs: 3_000, marginMs: 0 })
    let renewals = 0
    const counted: Queryable = {
      query(text, params) {
        if (isRenewal(text)) renewals++
        return world.db.query(text, params)
      },
    }
    const lease = await world.another({}, counted).acquire('job')
    await lease.ensure(1_000)
    expect(renewals).toBe(0)
    await sleep(1_500)
    const before = lease.expiresInMs
    await lease.ensure(9_000)
    expect(renewals).toBe(1)
    expect(lease.expiresInMs).toBeGreaterThan(before)
    await expect(lease.ensure(10_001)).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
    await lease.release()
    await expect(lease.ensure(1)).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
  })

  test('is given back, and another tried for, where the way to the database took longer than it lasts', async () => {
    await using world = await lockWorld(route, QUICK)
    let first = true
    const slow: Queryable = {
      async query(text, params) {
        const held = first
        first = false
        if (held) await sleep(2_300)
        return world.db.query(text, params)
      },
    }
    const lease = await world.another({}, slow).acquire('job', { waitMs: 10_000 })
    expect(lease.held).toBe(true)
    expect(lease.expiresInMs).toBeGreaterThan(0)
    // What came of the slow one has not taken it from the lease that is had.
    await sleep(600)
    await lease.refresh()
    expect(BigInt((await world.row('job')).token)).toBe(lease.token)
  })

  test('that comes of a try which was given up is given back before the locks are closed', async () => {
    await using world = await lockWorld(route)
    for (const giveUp of ['by its signal', 'by closing'] as const) {
      const sent = Promise.withResolvers<void>()
      const answered: string[] = []
      const slow: Queryable = {
        async query(text, params) {
          const isTry = text.includes('_acquire')
          if (isTry) {
            sent.resolve()
            await sleep(100)
          }
          const result = await world.db.query(text, params)
          answered.push(isTry ? 'taken' : 'given back')
          return result
        },
      }
      const locks = world.another({}, slow)
      const stop = new AbortController()
      const waiting = expect(locks.acquire('job', { signal: stop.signal })).rejects.toBeDefined()
      await sent.promise
      if (giveUp === 'by its signal') stop.abort(new Error('enough'))
      await locks.close()
      expect(answered).toEqual(['taken', 'given back'])
      await waiting
      expect(await world.locks.list()).toEqual([])
    }
  })

  test('of which two tries have told at last is not given back for the first of them', async () => {
    await using world = await lockWorld(route)
    const isTry = (text: string) => text.includes('_acquire')
    const second = Promise.withResolvers<void>()
    let tries = 0
    const slow: Queryable = {
      async query(text, params) {
        const result = await world.db.query(text, params)
        if (isTry(text) && ++tries === 1) await second.promise
        else if (isTry(text) && tries === 2) {
          // The first is answered before this one, when nobody waits for it any more.
          second.resolve()
          await sleep(30)
        }
        return result
      },
    }
    const lease = await world.another({ timeoutMs: 200 }, slow).acquire('job', { waitMs: 20_000 })
    expect(tries).toBe(2)
    await sleep(100)
    await lease.refresh()
    expect(BigInt((await world.row('job')).token)).toBe(lease.token)
  })

  test('that came of a try whose answer was late is given back where the next tries fail', async () => {
    await using world = await lockWorld(route)
    const failed = Promise.withResolvers<void>()
    const returned = Promise.withResolvers<void>()
    let tries = 0
    const failing: Queryable = {
      async query(text, params) {
        const isTry = text.includes('_acquire')
        if (isTry && ++tries > 1) {
          failed.resolve()
          throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
        }
        const result = await world.db.query(text, params)
        if (isTry) await failed.promise
        if (/released/.test(text)) returned.resolve()
        return result
      },
    }
    const waiting = world.another({ timeoutMs: 100 }, failing).acquire('job', { waitMs: 300 })
    await expect(waiting).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' })
    await returned.promise
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('that nobody waits for any more is given back when the database has given it', async () => {
    await using world = await lockWorld(route, QUICK)
    const go = Promise.withResolvers<void>()
    const returned = Promise.withResolvers<void>()
    const slow: Queryable = {
      async query(text, params) {
        await go.promise
        const result = await world.db.query(text, params)
        if (/released/.test(text)) returned.resolve()
        return result
      },
    }
    await expect(world.another({ timeoutMs: 100 }, slow).acquire('job', { waitMs: 50 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    })
    go.resolve()
    await returned.promise
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })
})
