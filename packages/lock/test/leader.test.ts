import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Queryable } from '../src/index.ts'
import { lockWorld, routes } from './world/lock-world.ts'

const QUICK = { ttlMs: 1_000, heartbeatMs: 100, marginMs: 100 }

describe.each(routes)('runWhileLeader on %s', (route) => {
  test('leads, steps down when the lease is lost, and leads again; returns on the signal with the key free', async () => {
    await using world = await lockWorld(route, QUICK)
    const stop = new AbortController()
    const terms: bigint[] = []
    let working = 0
    const leading = world.locks.runWhileLeader(
      'job',
      async (lease, signal) => {
        expect(++working).toBe(1)
        terms.push(lease.token)
        if (terms.length === 3) stop.abort()
        else await world.another().break('job', { force: true })
        if (!signal.aborted) await once(signal, 'abort')
        // Work that takes its time to end is waited for.
        await sleep(50)
        working--
      },
      { signal: stop.signal },
    )
    await leading
    expect(terms).toEqual([...terms].sort())
    expect(new Set(terms).size).toBe(3)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('campaigns again after work that has ended by itself, having let others have their turn', async () => {
    await using world = await lockWorld(route, QUICK)
    const stop = new AbortController()
    const turns: string[] = []
    const campaign = (name: string) =>
      world.another().runWhileLeader('job', async () => void (turns.push(name) === 3 && stop.abort()), {
        signal: stop.signal,
      })
    await Promise.all([campaign('a'), campaign('b')])
    expect(new Set(turns).size).toBe(2)
  })

  test('rejects with what the work throws while it leads, and not with what it throws for a loss', async () => {
    await using world = await lockWorld(route, QUICK)
    const failing = world.locks.runWhileLeader('job', async () => {
      throw new Error('the work failed')
    })
    await expect(failing).rejects.toThrow('the work failed')
    const stop = new AbortController()
    let terms = 0
    await world.locks.runWhileLeader(
      'job',
      async (_, signal) => {
        if (++terms === 2) stop.abort()
        else await world.another().break('job', { force: true })
        await sleep(60_000, undefined, { signal })
      },
      { signal: stop.signal },
    )
    expect(terms).toBe(2)
  })

  test('campaigns through a database that fails for longer than a lease lasts', async () => {
    await using world = await lockWorld(route, QUICK)
    const downUntil = performance.now() + QUICK.ttlMs * 1.5
    const flaky: Queryable = {
      query: (text, params) =>
        performance.now() < downUntil
          ? Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }))
          : world.db.query(text, params),
    }
    const stop = new AbortController()
    await world.another({}, flaky).runWhileLeader('job', async () => stop.abort(), { signal: stop.signal })
    expect(performance.now()).toBeGreaterThanOrEqual(downUntil)
  })

  test('returns at once where the signal aborts while another leads', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.acquire('job')
    const stop = new AbortController()
    const campaigning = world.another().runWhileLeader('job', () => expect.unreachable(), { signal: stop.signal })
    stop.abort()
    await campaigning
    await world.another().runWhileLeader('job', () => expect.unreachable(), { signal: stop.signal })
  })

  test('rejects with the deadlock where the work waits for the key that it has', async () => {
    await using world = await lockWorld(route, QUICK)
    const leading = world.locks.runWhileLeader('job', () => world.locks.acquire('job'))
    await expect(leading).rejects.toMatchObject({ code: 'LOCK_DEADLOCK' })
  })

  test('may follow whoever asks it to resign', async () => {
    await using world = await lockWorld(route, QUICK)
    const stop = new AbortController()
    const leading = world.locks.runWhileLeader(
      'job',
      async (lease) => {
        if (!lease.resignSignal.aborted) await once(lease.resignSignal, 'abort')
      },
      { signal: stop.signal },
    )
    await expect.poll(async () => (await world.locks.list()).length).toBe(1)
    const waiting = world.another().acquire('job', { waitMs: 20_000 })
    expect(await world.another().requestResign('job')).toBe(true)
    expect((await waiting).held).toBe(true)
    stop.abort()
    await leading
  })
})
