import { describe, expect, test, vi } from 'vitest'
import { clockedLocks } from './world/clocked-locks.ts'
import { answerAfter, NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { coded, renewals } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

describe('a lease', () => {
  test.each(['taken', 'broken', 'deleted'])(
    'that the database says is %s is not asked to be released',
    async (outcome) => {
      const { acquire, locks, count } = clockedLocks({ renew: (params) => renewals(params, outcome) })
      const lease = await acquire()
      await pass(200)
      expect(await lease.release()).toBe(false)
      await locks.close()
      expect(count('release')).toBe(0)
    },
  )

  test('that is lost for want of an answer is released all the same, once, and without another word', async () => {
    let silent = true
    const { acquire, locks, count, types } = clockedLocks({
      renew: (params) => (silent ? NEVER : Promise.resolve(renewals(params, 'taken'))),
      release: () => [{ released: false }],
    })
    const lease = await acquire()
    await pass(900)
    expect(lease.signal.reason).toMatchObject({ reason: 'unreachable' })
    silent = false
    expect(await lease.release()).toBe(false)
    expect(await lease.release()).toBe(false)
    await locks.close()
    expect(count('release')).toBe(1)
    expect(types()).toEqual(['acquired', 'doubtful', 'lost'])
  })

  test('that is lost has no error where its release fails, and is asked again by the next', async () => {
    let down = true
    const { acquire, locks, count } = clockedLocks({
      renew: () => NEVER,
      release: () => (down ? Promise.reject(coded('ECONNRESET')) : Promise.resolve([{ released: true }])),
    })
    const lease = await acquire()
    await pass(900)
    expect(await lease.release()).toBe(false)
    down = false
    await locks.close()
    expect(count('release')).toBe(2)
    expect(await lease.release()).toBe(true)
    expect(count('release')).toBe(2)
  })

  test('that is held and whose release fails says so, and can be released again', async () => {
    let down = true
    const { acquire, count, types } = clockedLocks({
      release: () => (down ? Promise.reject(coded('ECONNRESET')) : Promise.resolve([{ released: true }])),
    })
    const lease = await acquire()
    await expect(lease.release()).rejects.toMatchObject({ code: 'LOCK_FAILED' })
    down = false
    expect(await lease.release()).toBe(true)
    expect(count('release')).toBe(2)
    expect(types()).toEqual(['acquired', 'released'])
  })

  test('tells its release with key and token, and has no timer, heartbeat and loss from the moment on', async () => {
    const { acquire, events, count } = clockedLocks({ release: () => answerAfter(5_000, [{ released: true }]) })
    const lease = await acquire()
    const releasing = lease.release()
    expect(lease.held).toBe(false)
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'LOCK_CLOSED' }))
    await pass(0)
    // The statement's own and that of its answer.
    expect(vi.getTimerCount()).toBe(2)
    await pass(899)
    releasing.catch(() => {})
    await pass(1)
    expect(count('renew')).toBe(0)
    expect(events.map(({ type }) => type)).toEqual(['acquired'])
  })

  test('that is released says so with key and token', async () => {
    const { acquire, events, locks, count } = clockedLocks()
    const lease = await acquire()
    expect(await lease.release()).toBe(true)
    expect(events.at(-1)).toEqual({ type: 'released', key: 'job', token: 1n })
    await locks.close()
    expect(count('release')).toBe(1)
    expect(lease.signal.aborted).toBe(false)
  })

  test.each([
    ['taken', 'taken'],
    ['broken', 'broken'],
    // The row is back by now, as if nobody had it.
    ['renewed', 'deleted'],
    ['locked', 'deleted'],
  ])('whose release finds nothing and its row %s is lost as %s', async (outcome, reason) => {
    const { acquire, types } = clockedLocks({
      release: () => [{ released: false }],
      renew: (params) => renewals(params, outcome),
    })
    const lease = await acquire()
    expect(await lease.release()).toBe(false)
    expect(lease.signal.reason).toMatchObject({ reason })
    expect(types()).toEqual(['acquired', 'lost'])
  })

  test('whose release was done by one before, of which nobody heard, is released', async () => {
    const { acquire, types } = clockedLocks({
      release: () => [{ released: false }],
      renew: (params) => renewals(params, 'released'),
    })
    const lease = await acquire()
    expect(await lease.release()).toBe(true)
    expect(types()).toEqual(['acquired', 'released'])
  })

  test('is released at the end of its block, and a fault of that is none of the block', async () => {
    const { acquire, count } = clockedLocks()
    {
      await using _ = await acquire()
    }
    expect(count('release')).toBe(1)
    const broken = clockedLocks({ release: () => Promise.reject(coded('ECONNRESET')) })
    {
      await using _ = await broken.acquire()
    }
    expect(broken.count('release')).toBe(1)
  })
})
