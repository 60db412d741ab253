import { describe, expect, test, vi } from 'vitest'
import { acquireLease } from '../src/acquire.ts'
import { createContext } from '../src/context.ts'
import type { Lease } from '../src/index.ts'
import { clockedLocks } from './world/clocked-locks.ts'
import { answerAfter, block, NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { coded, renewals, scriptedDatabase } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

describe('a lease', () => {
  test('counts from when its last renewal was sent, and says when it was last confirmed', async () => {
    let silent = false
    const { acquire, ofType } = clockedLocks({
      renew: (params) => (silent ? NEVER : answerAfter(50, renewals(params))),
    })
    const lease = await acquire()
    expect(lease.expiresInMs).toBe(900)
    await pass(250)
    expect(lease.expiresInMs).toBe(850)
    silent = true
    await pass(849)
    expect(lease.held).toBe(true)
    await pass(1)
    expect(lease.held).toBe(false)
    expect(lease.signal.reason).toMatchObject({
      reason: 'unreachable',
      key: 'job',
      token: 1n,
      lastConfirmedAt: new Date(1_000_200),
      cause: { message: 'the database has not answered a heartbeat' },
    })
    expect(ofType('lost')).toEqual([
      { type: 'lost', key: 'job', token: 1n, reason: 'unreachable', error: lease.signal.reason },
    ])
  })

  test('is kept by heartbeats for ever, with two timers however often it is asked', async () => {
    const { acquire, locks } = clockedLocks()
    const lease = await acquire()
    for (let n = 0; n < 100; n++) {
      lease.assertHeld()
      await pass(100)
    }
    expect(lease.held).toBe(true)
    expect(vi.getTimerCount()).toBe(2)
    await locks.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is lost is no longer renewed, and leaves no timer', async () => {
    const { acquire, count } = clockedLocks({ renew: (params) => renewals(params, 'taken') })
    const lease = await acquire()
    await pass(200)
    expect(lease.signal.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    await expect(lease.refresh()).rejects.toBe(lease.signal.reason)
    await expect(lease.update({})).rejects.toBe(lease.signal.reason)
    await expect(lease.ensure(0)).rejects.toBe(lease.signal.reason)
    await expect(lease.fence({ query: () => expect.unreachable() })).rejects.toBe(lease.signal.reason)
    expect(count('renew')).toBe(1)
  })

  test('whose time went by unnoticed is lost when anyone insists, and released without an error', async () => {
    const { acquire, types } = clockedLocks({ release: () => Promise.reject(coded('ECONNRESET')) })
    const lease = await acquire()
    block(900)
    expect(lease.held).toBe(false)
    expect(lease.signal.aborted).toBe(false)
    expect(await lease.release()).toBe(false)
    expect(types()).toEqual(['acquired', 'lost'])
    expect(lease.signal.reason).toMatchObject({ reason: 'expired' })
    vi.restoreAllMocks()
    const other = await acquire('other')
    block(900)
    expect(() => other.assertHeld()).toThrow(expect.objectContaining({ code: 'LEASE_LOST', reason: 'expired' }))
    expect(other.signal.aborted).toBe(true)
  })

  test('whose time went by before the answer was read stays lost, though that confirms it', async () => {
    const answered = Promise.withResolvers<void>()
    const { acquire, types } = clockedLocks({ renew: (params) => answered.promise.then(() => renewals(params)) })
    const lease = await acquire()
    await pass(100)
    const refreshing = lease.refresh()
    block(800)
    answered.resolve()
    await expect(refreshing).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'expired' })
    expect(types()).toEqual(['acquired', 'lost'])
  })

  test('is not set back by an older answer that comes last', async () => {
    const first = Promise.withResolvers<void>()
    const { acquire, ofType } = clockedLocks({
      renew: async (params, n) => {
        if (n === 1) await first.promise
        return renewals(params)
      },
    })
    const lease = await acquire()
    await pass(10)
    const refreshing = lease.refresh()
    await pass(100)
    await lease.refresh()
    expect(lease.expiresInMs).toBe(900)
    first.resolve()
    await refreshing
    expect(lease.expiresInMs).toBe(900)
    expect(ofType('renewed')).toEqual([{ type: 'renewed', key: 'job', token: 1n, expiresInMs: 900 }])
  })

  test.each(['renewed', 'taken', 'failed'] as const)(
    'that is over tells of nothing that comes later: a heartbeat that %s',
    async (answer) => {
      const late = Promise.withResolvers<void>()
      const { acquire, events } = clockedLocks({
        renew: async (params) => {
          await late.promise
          if (answer === 'failed') throw coded('ECONNRESET')
          return renewals(params, answer)
        },
      })
      const [lost, released] = [await acquire('lost'), await acquire('released')]
      await pass(100)
      const refreshing = Promise.allSettled([lost.refresh(), released.refresh()])
      await released.release()
      await pass(800)
      late.resolve()
      await refreshing
      await pass(0)
      const eventsOf = (key: string) => events.filter((event) => event.key === key).map(({ type }) => type)
      expect(eventsOf('lost')).toEqual(['acquired', 'doubtful', 'lost'])
      expect(eventsOf('released')).toEqual(['acquired', 'released'])
    },
  )

  test('that was taken is not in doubt when another heartbeat fails', async () => {
    const { acquire, types } = clockedLocks({
      renew: async (params, n) => {
        if (n === 1) return renewals(params, 'taken')
        await answerAfter(10, null)
        throw coded('ECONNRESET')
      },
    })
    const lease = await acquire()
    const refreshing = Promise.allSettled([lease.refresh(), lease.refresh()])
    await pass(10)
    await refreshing
    expect(types()).toEqual(['acquired', 'lost'])
  })

  test('that is over is not held on to, however many there were', async () => {
    const { db } = scriptedDatabase({
      renew: (params) => renewals(params, 'taken'),
      acquire: (_, n) => [{ acquired: true, token: String(n), held: null }],
    })
    const context = createContext(db, { ttlMs: 1_000, heartbeatMs: 200, marginMs: 100 })
    for (const end of [(lease: Lease) => lease.release(), (lease: Lease) => lease.refresh().catch(() => {})]) {
      const attempt = await acquireLease(context, 'job', {}, (send) => send(100))
      if (!attempt.acquired) throw new Error('it is held')
      await pass(0)
      expect([context.unreleased.size, context.background.size]).toEqual([1, 0])
      await end(attempt.lease)
      expect(context.unreleased.size).toBe(0)
    }
  })

  test('is a text of JSON with its token as text', async () => {
    const { acquire } = clockedLocks()
    const lease = await acquire()
    expect(JSON.parse(JSON.stringify(lease))).toEqual({ key: 'job', token: '1', held: true, expiresInMs: 900 })
  })

  test('is doubtful again after a renewal that has succeeded in between', async () => {
    const { acquire, types } = clockedLocks({
      renew: async (params, n) => {
        if (n % 3 !== 0) throw coded('ECONNRESET')
        return renewals(params)
      },
    })
    await acquire()
    await pass(800)
    expect(types()).toEqual(['acquired', 'doubtful', 'renewed', 'doubtful'])
  })

  test('is ensured by a heartbeat only where it would not last that long', async () => {
    const { acquire, count } = clockedLocks({}, { heartbeatMs: 260 })
    const lease = await acquire()
    await lease.ensure(900)
    await lease.ensure(0)
    await pass(100)
    await lease.ensure(800)
    expect(count('renew')).toBe(0)
    await lease.ensure(801)
    expect(count('renew')).toBe(1)
    await pass(10)
    await lease.ensure(900)
    expect(count('renew')).toBe(2)
    expect(lease.expiresInMs).toBe(900)
  })

  test('is not ensured by a heartbeat whose answer took too long, and held nevertheless', async () => {
    const { acquire } = clockedLocks({ renew: (params) => answerAfter(50, renewals(params)) })
    const lease = await acquire()
    await pass(10)
    const ensuring = lease.ensure(900)
    ensuring.catch(() => {})
    await pass(50)
    await expect(ensuring).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      message: 'the database took too long to ensure "job" for 900 ms',
    })
    expect(lease.expiresInMs).toBe(850)
  })

  test('is not ensured for what is no time, nor for longer than it can last', async () => {
    const { acquire, count } = clockedLocks()
    const lease = await acquire()
    for (const ms of [-1, Number.NaN, 901, '5' as never])
      await expect(lease.ensure(ms)).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
    expect(count('renew')).toBe(0)
  })

  test('hears of a request to resign once, and of none where there is none', async () => {
    let asked = false
    const { acquire, ofType } = clockedLocks({ renew: (params) => renewals(params, 'renewed', asked) })
    const lease = await acquire()
    await pass(200)
    expect(lease.resignSignal.aborted).toBe(false)
    asked = true
    await pass(600)
    expect(lease.resignSignal.reason).toMatchObject({ code: 'LOCK_CLOSED', message: 'someone asks for "job"' })
    expect(ofType('resign_requested')).toEqual([{ type: 'resign_requested', key: 'job', token: 1n }])
    expect(lease.held).toBe(true)
  })

  test('stores another info with its heartbeat', async () => {
    const { acquire, paramsOf } = clockedLocks()
    const lease = await acquire()
    await lease.update({ step: 2 })
    await lease.update(undefined)
    await lease.refresh()
    expect(paramsOf('renew').map(([rows]) => JSON.parse(rows)[0].info)).toEqual(['{"step":2}', 'null', undefined])
    await expect(lease.update(1n)).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
  })
})
