import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { later, NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { coded, granted, scriptedDatabase } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

describe('close', () => {
  test('releases every lease and is a word to whoever comes later', async () => {
    const { locks, paramsOf, count } = scriptedDatabase()
    const own = locks()
    await own.acquire('a')
    await own.acquire('b')
    await own[Symbol.asyncDispose]()
    expect(paramsOf('release').map(([key]) => key)).toEqual(['a', 'b'])
    await expect(own.tryAcquire('c')).rejects.toMatchObject({
      code: 'LOCK_CLOSED',
      message: 'these locks have been closed',
    })
    expect(count('acquire')).toBe(2)
  })

  test('releases the others where one fails, says so, and can be called again', async () => {
    let down = true
    const { locks, paramsOf } = scriptedDatabase({
      release: ([key]) =>
        down && key === 'a' ? Promise.reject(coded('ECONNRESET')) : Promise.resolve([{ released: true }]),
    })
    const own = locks()
    await own.acquire('a')
    await own.acquire('b')
    await expect(own.close()).rejects.toMatchObject({ code: 'LOCK_FAILED', cause: { code: 'ECONNRESET' } })
    down = false
    await own.close()
    expect(paramsOf('release').map(([key]) => key)).toEqual(['a', 'b', 'a'])
  })

  test('ends to listen, and a fault of that is none of it', async () => {
    let ended = 0
    const listen = {
      listen: async () => () => {
        ended++
        return Promise.reject(new Error('gone'))
      },
    }
    const { locks } = scriptedDatabase()
    const own = locks({ listen })
    await own.acquire('job')
    await own.close()
    expect(ended).toBe(1)
  })

  test('waits no longer than a statement may take for the attempts that were given up', async () => {
    const { locks } = scriptedDatabase({ acquire: () => NEVER })
    const own = locks({ timeoutMs: 100 })
    const stop = new AbortController()
    const attempt = later(own.tryAcquire('job', { signal: stop.signal }))
    stop.abort(new Error('enough'))
    await expect(attempt).rejects.toThrow('enough')
    let closed = false
    const closing = own.close().then(() => (closed = true))
    await pass(99)
    expect(closed).toBe(false)
    await pass(1)
    await closing
  })

  test('does not wait for attempts that have ended, also those that failed', async () => {
    const { locks } = scriptedDatabase({ acquire: (_, n) => (n === 1 ? Promise.reject(coded('28P01')) : granted('9')) })
    const own = locks()
    await expect(own.tryAcquire('job')).rejects.toThrow()
    await own.tryAcquire('job')
    await own.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('leaves nothing behind at the signals of its callers', async () => {
    const { signal } = new AbortController()
    const { locks } = scriptedDatabase()
    const own = locks()
    for (let n = 0; n < 20; n++) await (await own.acquire(`job ${n}`, { signal })).release()
    await own.close()
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
  })
})
