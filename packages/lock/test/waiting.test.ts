import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Contention } from '../src/acquire.ts'
import type { AcquireOptions, LocksOptions } from '../src/index.ts'
import { waitFor } from '../src/wait.ts'
import { eventLog } from './peers/event-log.ts'
import { NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { listener } from './world/listener.ts'
import { type Answers, coded, refused, scriptedDatabase } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()
// The middle of the spread: pauses are as long as they are called.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0.5))

const down = () => Promise.reject(coded('ECONNREFUSED', 'connect ECONNREFUSED'))
const granted = [{ acquired: true, token: '9', held: null }]

/** A waiter for "job", and what becomes of it. */
function waiter(answers: Answers, { waitMs, signal }: AcquireOptions = {}, options: LocksOptions = {}) {
  const database = scriptedDatabase(answers)
  const log = eventLog()
  const locks = database.locks({ ttlMs: 30_000, heartbeatMs: 5_000, onEvent: log.onEvent, ...options })
  const waiting = locks.acquire('job', { waitMs, signal })
  let outcome: unknown = 'waits'
  waiting.then(
    (lease) => (outcome = lease),
    (error) => (outcome = error),
  )
  return { ...database, ...log, locks, outcome: () => outcome }
}

describe('a waiter', () => {
  test('asks again soon, then less often: a hundredth of the time that it has waited, a second at most', async () => {
    const { times } = waiter({ acquire: () => refused() })
    await pass(700)
    expect(times('acquire')).toEqual([0, 30, 90, 210, 330, 450, 570, 690])
    await pass(50_000)
    const pauseAt = (ms: number) => {
      const n = times('acquire').findIndex((time) => time > ms)
      return times('acquire')[n + 1]! - times('acquire')[n]!
    }
    expect(pauseAt(9_000)).toBe(120)
    expect(Math.round(pauseAt(40_000) / 10)).toBe(40)
    await pass(200_000)
    expect(pauseAt(200_000)).toBe(1_000)
  })

  test.each([
    [0, [0, 27, 81]],
    [1, [0, 33, 99]],
  ])('spreads its pauses by a tenth, so that waiters do not come in step: %d', async (random, expected) => {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    // The clock began long before the wait.
    await pass(100_000)
    const { times } = waiter({ acquire: () => refused() })
    await pass(150)
    expect(times('acquire').map((time) => Math.round(time - 100_000))).toEqual(expected)
  })

  test('asks as soon as the lease that it waits for is over', async () => {
    const { times } = waiter({ acquire: (_, n) => refused({ expires_in_ms: n === 1 ? 5 : 60_000 }) })
    await pass(20)
    expect(times('acquire')).toEqual([0, 6])
  })

  test('keeps its pace where the lease is over and what it fenced is not, and after a fault', async () => {
    const { times } = waiter({
      acquire: (_, n) => (n === 1 ? refused({ expires_in_ms: 0 }) : refused({ expires_in_ms: -5 })),
    })
    await pass(100)
    expect(times('acquire')).toEqual([0, 30, 90])
    const faulty = waiter({ acquire: (_, n) => (n === 1 ? refused({ expires_in_ms: 5 }) : down()) })
    const startedAt = performance.now()
    await pass(100)
    expect(faulty.times('acquire').map((time) => time - startedAt)).toEqual([0, 6, 66])
  })

  test('gives up when its time is over, neither sooner nor later, and says who has the key for how long', async () => {
    const { times, outcome } = waiter({ acquire: () => refused({ holder_label: 'nightly' }) }, { waitMs: 50 })
    await pass(49)
    expect(outcome()).toBe('waits')
    await pass(1)
    expect(outcome()).toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: 'waited 50 ms for "job"; it is held by there, process 7 (nightly), for 61 s',
    })
    expect(times('acquire')).toEqual([0, 30, 50])
  })

  test('of no time asks once, and waits a little for that', async () => {
    const quick = waiter({ acquire: () => pass(0).then(() => refused()) }, { waitMs: 0 })
    await pass(1)
    expect(quick.outcome()).toMatchObject({
      message: 'waited 0 ms for "job"; it is held by there, process 7, for 61 s',
    })
    const slow = waiter({ acquire: () => new Promise((resolve) => setTimeout(resolve, 150, granted)) }, { waitMs: 0 })
    await pass(150)
    expect(slow.outcome()).toMatchObject({ token: 9n })
    const silent = waiter({ acquire: () => NEVER }, { waitMs: 0 })
    await pass(199)
    expect(silent.outcome()).toBe('waits')
    await pass(1)
    expect(silent.outcome()).toMatchObject({ code: 'LOCK_TIMEOUT', message: expect.stringContaining('200 ms') })
  })

  test('waits for one answer as long as a statement may take, and no longer than for the key', async () => {
    const { outcome } = waiter({ acquire: () => NEVER }, { waitMs: 5_000 })
    await pass(4_999)
    expect(outcome()).toBe('waits')
    await pass(1)
    expect(outcome()).toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: expect.stringMatching(/^waited 5000 ms for "job"; the last try failed: .*not answered within 5000 ms$/),
      cause: { code: 'LOCK_FAILED' },
    })
  })

  test('tells of each holder once, with key and token', async () => {
    const { ofType, types } = waiter({
      acquire: (_, n) => (n < 4 ? refused({ token: '5' }) : n < 6 ? refused({ token: '6', holder_pid: 8 }) : granted),
    })
    await pass(1_000)
    expect(types()).toEqual(['contended', 'contended', 'acquired'])
    const holder = { id: 'there:7:x', host: 'there', pid: 7, label: null }
    expect(ofType('contended')).toEqual([
      { type: 'contended', key: 'job', token: 5n, holder },
      { type: 'contended', key: 'job', token: 6n, holder: { ...holder, pid: 8 } },
    ])
  })

  test('that may wait for ever rides a fault out for as long as a lease lasts, and then throws it', async () => {
    const { outcome, count } = waiter({ acquire: down })
    await pass(30_000)
    expect(outcome()).toBe('waits')
    await pass(500)
    expect(outcome()).toMatchObject({ code: 'LOCK_FAILED', cause: { code: 'ECONNREFUSED' } })
    expect(count('acquire')).toBeGreaterThan(100)
  })

  test('counts a fault anew after the database has answered', async () => {
    let fails = true
    const { outcome } = waiter({ acquire: () => (fails ? down() : refused()) })
    await pass(25_000)
    fails = false
    await pass(1_000)
    fails = true
    await pass(25_000)
    expect(outcome()).toBe('waits')
    await pass(6_000)
    expect(outcome()).toMatchObject({ code: 'LOCK_FAILED' })
  })

  test('with a time of its own rides faults out until that is over', async () => {
    const { outcome } = waiter({ acquire: down }, { waitMs: 40_000 })
    await pass(39_999)
    expect(outcome()).toBe('waits')
    await pass(1)
    expect(outcome()).toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: 'waited 40000 ms for "job"; the last try failed: the database failed: connect ECONNREFUSED',
    })
  })

  test('throws at once what no waiting will change', async () => {
    const { outcome, count } = waiter({ acquire: () => Promise.reject(coded('28P01')) })
    await pass(0)
    expect(outcome()).toMatchObject({ cause: { code: '28P01' } })
    expect(count('acquire')).toBe(1)
  })

  test('ends at once with its signal, in a pause or in a try, and leaves no timer', async () => {
    for (const answer of [() => refused(), () => NEVER, down]) {
      const stop = new AbortController()
      const { outcome } = waiter({ acquire: answer }, { signal: stop.signal })
      await pass(5)
      stop.abort(new Error('enough'))
      await pass(0)
      expect(outcome()).toMatchObject({ message: 'enough' })
      expect(vi.getTimerCount()).toBe(0)
    }
  })
})

describe('a waiter that listens', () => {
  test('asks when it is told, and otherwise once a second', async () => {
    const { connection, listens, wake } = listener()
    const { times } = waiter({ acquire: () => refused() }, {}, { listen: connection })
    await pass(10)
    // A release before that has notified no one: it asks at once.
    listens()
    await pass(1_500)
    expect(times('acquire')).toEqual([0, 10, 1_010])
    wake('job')
    await pass(0)
    wake('another')
    await pass(400)
    expect(times('acquire')).toEqual([0, 10, 1_010, 1_510])
  })

  test('is woken by what it is told during a try', async () => {
    const { connection, listens, wake } = listener()
    const { times } = waiter(
      { acquire: () => new Promise((resolve) => setTimeout(resolve, 20, refused())) },
      {},
      { listen: connection },
    )
    listens()
    await pass(45)
    expect(times('acquire')).toEqual([0, 20])
    await pass(1_000)
    expect(times('acquire')).toEqual([0, 20, 1_040])
    wake('job')
    await pass(20)
    expect(times('acquire')).toEqual([0, 20, 1_040, 1_060])
  })

  test('that is told and aborted at once asks no more', async () => {
    const { connection, listens, wake } = listener()
    const stop = new AbortController()
    const { count, outcome } = waiter({ acquire: () => refused() }, { signal: stop.signal }, { listen: connection })
    listens()
    await pass(500)
    const before = count('acquire')
    wake('job')
    stop.abort(new Error('enough'))
    await pass(0)
    expect(outcome()).toMatchObject({ message: 'enough' })
    expect(count('acquire')).toBe(before)
  })

  test('whose connection cannot listen keeps the pace of one that does not', async () => {
    const listen = { listen: () => Promise.reject(new Error('no LISTEN through a pooler')) }
    const { times } = waiter({ acquire: () => refused() }, {}, { listen })
    await pass(100)
    expect(times('acquire')).toEqual([0, 30, 90])
  })

  test('is no longer told of the key when it has it, or has given up', async () => {
    const outcomes = [granted, refused()].map(([row]) => row)
    for (const row of outcomes) {
      const wakes = new Set<() => void>()
      const context = scriptedContext(wakes)
      const send = async () =>
        row!.acquired
          ? ({ acquired: true, token: 9n, startedAt: 0 } as const)
          : ({ acquired: false, token: 5n, holder: {}, expiresInMs: 1, heldForMs: 0 } as Contention)
      const waiting = waitFor(context, 'job', 10, send, new AbortController().signal).catch(() => {})
      expect(wakes.size).toBe(1)
      await pass(100)
      await waiting
      expect(wakes.size).toBe(0)
    }
  })
})

/** As much of the locks as a waiter needs, with those whom a notification would wake. */
function scriptedContext(wakes: Set<() => void>) {
  return {
    settings: { ttlMs: 1_000 },
    emit: () => {},
    wakeups: {
      isListening: () => true,
      ready: () => Promise.resolve(),
      on: (_: string, wake: () => void) => void wakes.add(wake),
      off: (_: string, wake: () => void) => void wakes.delete(wake),
    },
  } as never
}

describe('a call that waits for a key', () => {
  test('that it has itself is told so, and not left to wait', async () => {
    const { locks } = scriptedWorld((_, n) => (n === 1 ? granted : refused({ token: '9' })))
    const nested = locks.withLock('job', {}, () => locks.acquire('job', { waitMs: 1_000 }))
    await expect(nested).rejects.toMatchObject({
      code: 'LOCK_DEADLOCK',
      message: '"job" is held by the very call that waits for it: pass its lease on instead of taking it again',
    })
  })

  test('that it had, and another has by now, or that it has given up, is waited for', async () => {
    const { locks } = scriptedWorld((_, n) => (n === 2 ? refused({ token: '5' }) : granted))
    const nested = locks.withLock('job', {}, () => locks.acquire('job', { waitMs: 1_000 }))
    await pass(100)
    expect(await nested).toMatchObject({ token: 9n })
    const released = scriptedWorld((_, n) => (n === 2 ? refused({ token: '9' }) : granted))
    const after = released.locks.withLock('job', {}, async (lease) => {
      await lease.release()
      return released.locks.acquire('job', { waitMs: 1_000 })
    })
    await pass(100)
    expect(await after).toMatchObject({ token: 9n })
  })

  function scriptedWorld(acquire: Answers['acquire'] & {}) {
    return { locks: scriptedDatabase({ acquire }).locks() }
  }
})
