import { once } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import type { Queryable } from '../src/index.ts'
import { isRenewal, lockWorld, routes } from './world/lock-world.ts'

const QUICK = { ttlMs: 700, heartbeatMs: 100, marginMs: 100 }

describe.each(routes)('a heartbeat on %s', (route) => {
  test('keeps a lease for longer than it would last, and renews all of them by one statement', async () => {
    await using world = await lockWorld(route, { ttlMs: 2_000, heartbeatMs: 200, marginMs: 100 })
    const statements: string[] = []
    let beats = 0
    const reached = Promise.withResolvers<void>()
    const counted: Queryable = {
      async query(text, params) {
        statements.push(text)
        const result = await world.db.query(text, params)
        if (isRenewal(text) && ++beats === 12) reached.resolve()
        return result
      },
    }
    const locks = world.another({}, counted)
    const leases = await Promise.all(Array.from({ length: 20 }, (_, i) => locks.acquire(`job ${i}`)))
    statements.length = 0
    await reached.promise
    expect(leases.every(({ held }) => held)).toBe(true)
    expect(statements.every(isRenewal)).toBe(true)
    expect(await world.another().tryAcquire('job 0')).toMatchObject({ acquired: false })
  })

  test('that hears nothing loses the lease within its time, as unreachable', async () => {
    await using world = await lockWorld(route, QUICK)
    let silent = false
    const flaky: Queryable = {
      query: (text, params) => (silent ? new Promise(() => {}) : world.db.query(text, params)),
    }
    const lease = await world.another({}, flaky).acquire('job')
    silent = true
    await once(lease.signal, 'abort')
    expect(lease.signal.reason).toMatchObject({ code: 'LEASE_LOST', reason: 'unreachable' })
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'LEASE_LOST' }))
    expect(await lease.release()).toBe(false)
  })

  test('that could not run because the event loop was blocked does not let the holder believe that it holds', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    const until = performance.now() + QUICK.ttlMs
    while (performance.now() < until);
    expect(lease.held).toBe(false)
    // Looking changes nothing; it is the deadline's timer that tells, or whoever insists.
    expect(lease.signal.aborted).toBe(false)
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ reason: 'expired' }))
    expect(lease.signal.aborted).toBe(true)
  })

  test('that is late lets the holder stop by the margin sooner than the database gives its lease away', async () => {
    await using world = await lockWorld(route, { ttlMs: 90_000, heartbeatMs: 15_000, marginMs: 30_000 })
    const lease = await world.locks.acquire('job')
    expect(lease.expiresInMs).toBeLessThanOrEqual(60_000)
    const now = performance.now.bind(performance)
    using _ = vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000)
    expect(lease.held).toBe(false)
    expect((await world.locks.inspect('job'))!.expiresInMs).toBeGreaterThan(0)
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ reason: 'expired' }))
  })

  test('tells of a lease that someone broke', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect(await world.another().break('job', { maxAgeMs: 60_000 })).toMatchObject({ verdict: 'refused' })
    expect(await world.another().break('job', { token: lease.token + 1n, force: true })).toMatchObject({
      verdict: 'refused',
    })
    expect(await world.another().break('job', { token: lease.token, force: true })).toMatchObject({
      verdict: 'broken',
      token: lease.token,
    })
    expect(await world.another().break('job')).toMatchObject({ verdict: 'absent' })
    if (!lease.signal.aborted) await once(lease.signal, 'abort')
    expect(lease.signal.reason).toMatchObject({ reason: 'broken' })
  })
})
