import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { answerWithin, run } from '../src/queryable.ts'
import { later, pass, useFakedClock } from './world/faked-clock.ts'
import { coded } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

/** A database that throws these one after the other and then answers; and when it was asked. */
function failing(...errors: unknown[]) {
  const times: number[] = []
  const query = async () => {
    times.push(performance.now())
    if (times.length <= errors.length) throw errors[times.length - 1]
    return { rows: [{ done: true }] }
  }
  return { db: { query }, times }
}
/** That many races and deadlocks in turn. */
const races = (n: number) => Array.from({ length: n }, (_, i) => coded(i % 2 ? '40P01' : '40001'))

describe('a statement', () => {
  test('that lost a race or a deadlock is sent again, after pauses that grow to 32 ms at most', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const { db, times } = failing(...races(9))
    const startedAt = performance.now()
    const running = run(db, 'SELECT', [])
    await pass(1_000)
    expect(await running).toEqual([{ done: true }])
    expect(times.map((time) => time - startedAt)).toEqual([0, 1, 3, 7, 15, 31, 47, 63, 79, 95])
  })

  test('that loses ten of them has failed', async () => {
    const { db, times } = failing(...races(10))
    const running = later(run(db, 'SELECT', []))
    await pass(1_000)
    await expect(running).rejects.toMatchObject({ code: 'LOCK_FAILED', cause: { code: '40P01' } })
    expect(times).toHaveLength(10)
  })

  test('that fails otherwise is not sent again', async () => {
    for (const code of ['ECONNRESET', '42501', '25P02']) {
      const { db, times } = failing(coded(code))
      await expect(run(db, 'SELECT', [])).rejects.toMatchObject({ cause: { code } })
      expect(times).toHaveLength(1)
    }
  })

  test('that lost a race in a transaction of the caller fails with that race, not with what follows from it', async () => {
    const { db } = failing(coded('40001'), coded('25P02'))
    const running = later(run(db, 'SELECT', []))
    await pass(1_000)
    await expect(running).rejects.toMatchObject({ cause: { code: '40001' } })
  })
})

describe('an answer', () => {
  test('is waited for as long as was said, and no timer and no listener is left of that', async () => {
    const stop = new AbortController()
    const { promise, resolve } = Promise.withResolvers<string>()
    const waiting = answerWithin(100, promise, stop.signal)
    await pass(99)
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1)
    resolve('done')
    expect(await waiting).toBe('done')
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  })

  test('that does not come is an error that says for how long it was waited for', async () => {
    const waiting = later(answerWithin(99.6, new Promise(() => {})))
    await pass(100)
    await expect(waiting).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      message: 'the database has not answered within 100 ms',
    })
  })

  test('is waited for no longer than the signal says, nor where it was aborted before', async () => {
    const stop = new AbortController()
    const waiting = later(answerWithin(100, new Promise(() => {}), stop.signal))
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(answerWithin(100, new Promise(() => {}), stop.signal)).rejects.toThrow('enough')
    expect(vi.getTimerCount()).toBe(0)
  })
})
