import { describe, expect, test, vi } from 'vitest'
import { eventLog } from './peers/event-log.ts'
import { answerAfter, later, NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { coded, granted, refused, scriptedDatabase } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

const QUICK = { ttlMs: 1_000, heartbeatMs: 200, marginMs: 100 }

describe('an attempt', () => {
  test('sends who asks, for how long and in which rhythm', async () => {
    const { locks, paramsOf } = scriptedDatabase()
    const holder = { host: 'here', pid: 7, label: 'nightly' }
    await locks({ ...QUICK, holder }).tryAcquire('job', { info: { step: 1 } })
    const [params] = paramsOf('acquire')
    expect(params).toEqual([
      'job',
      expect.stringMatching(/^here:7:/),
      'nightly',
      'here',
      7,
      '{"step":1}',
      expect.stringMatching(/^.{36}$/),
      1_000,
      200,
    ])
    await locks({ holder: { host: 'here', pid: 7 } }).tryAcquire('job')
    expect(paramsOf('acquire')[1]!.slice(2, 6)).toEqual([null, 'here', 7, null])
  })

  test('that is refused says who has the key, and JSON can hold it', async () => {
    const { onEvent, events } = eventLog()
    const { locks } = scriptedDatabase({ acquire: () => refused({ info: { step: 1 } }) })
    const outcome = await locks({ onEvent }).tryAcquire('job')
    const holder = { id: 'there:7:x', host: 'there', pid: 7, label: null }
    const facts = {
      key: 'job',
      holder,
      info: { step: 1 },
      heldForMs: 61_000,
      sinceRefreshMs: 1_000,
      expiresInMs: 60_000,
    }
    expect(outcome).toEqual({ acquired: false, token: 5n, ...facts })
    expect(JSON.parse(JSON.stringify(outcome))).toEqual({ acquired: false, token: '5', ...facts })
    expect(events).toEqual([{ type: 'contended', key: 'job', token: 5n, holder }])
  })

  test('is sent again under the same id after a fault, three times in all', async () => {
    const { locks, paramsOf } = scriptedDatabase({ acquire: () => Promise.reject(coded('ECONNRESET')) })
    await expect(locks().tryAcquire('job')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(paramsOf('acquire')).toHaveLength(3)
    expect(new Set(paramsOf('acquire').map((params) => params[6])).size).toBe(1)
  })

  test('is not sent again after a fault that no waiting will change, nor once it is aborted', async () => {
    const { locks, count } = scriptedDatabase({ acquire: () => Promise.reject(coded('28P01')) })
    await expect(locks().tryAcquire('job')).rejects.toMatchObject({ cause: { code: '28P01' } })
    expect(count('acquire')).toBe(1)
    const stop = new AbortController()
    const stopped = scriptedDatabase({
      acquire() {
        stop.abort(new Error('enough'))
        return Promise.reject(coded('ECONNRESET'))
      },
    })
    await expect(stopped.locks().tryAcquire('job', { signal: stop.signal })).rejects.toThrow()
    expect(stopped.count('acquire')).toBe(1)
  })

  test('of a key that another is just acquiring is made again for a moment, ever more slowly', async () => {
    const { locks, times } = scriptedDatabase({ acquire: () => refused({ expires_in_ms: 0 }) })
    const attempt = locks().tryAcquire('job')
    await pass(1_000)
    expect(await attempt).toMatchObject({ acquired: false, expiresInMs: 0 })
    expect(times('acquire')).toEqual([0, 1, 3, 7, 15, 31, 63])
    const soon = scriptedDatabase({ acquire: (_, n) => (n < 3 ? refused({ expires_in_ms: -1 }) : granted('9')) })
    const second = soon.locks().tryAcquire('job')
    await pass(10)
    expect(await second).toMatchObject({ acquired: true })
  })

  test('that is aborted between two tries ends with its signal', async () => {
    const stop = new AbortController()
    const { locks, count } = scriptedDatabase({ acquire: () => refused({ expires_in_ms: 0 }) })
    const attempt = later(locks().tryAcquire('job', { signal: stop.signal }))
    await pass(20)
    stop.abort(new Error('enough'))
    await expect(attempt).rejects.toThrow('enough')
    expect(count('acquire')).toBe(5)
  })

  test('that is aborted before it is made sends nothing', async () => {
    const { locks, sent } = scriptedDatabase()
    await expect(locks().tryAcquire('job', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    )
    expect(sent).toEqual([])
  })

  test('waits for its answer as long as the lease would be trusted, or a statement may take', async () => {
    for (const [options, ms] of [
      [{ ttlMs: 1_000, heartbeatMs: 200, marginMs: 100, timeoutMs: 5_000 }, 900],
      [{ ttlMs: 90_000, timeoutMs: 700 }, 700],
    ] as const) {
      const { locks, times } = scriptedDatabase({ acquire: () => NEVER })
      const startedAt = performance.now()
      const attempt = later(locks(options).tryAcquire('job'))
      await pass(ms * 3)
      await expect(attempt).rejects.toMatchObject({ message: `the database has not answered within ${ms} ms` })
      expect(times('acquire').map((time) => time - startedAt)).toEqual([0, ms, 2 * ms])
    }
    const short = scriptedDatabase({ acquire: () => NEVER })
    const attempt = later(short.locks().tryAcquire('job', { ttlMs: 2_300 }))
    await pass(900)
    await expect(attempt).rejects.toMatchObject({ message: 'the database has not answered within 300 ms' })
  })

  test('whose answer comes when nobody waits for it gives the lease back, before the locks are closed', async () => {
    const { locks, sent } = scriptedDatabase({ acquire: () => answerAfter(500, granted('9')) })
    const own = locks()
    const stop = new AbortController()
    const attempt = later(own.tryAcquire('job', { signal: stop.signal }))
    await pass(100)
    stop.abort(new Error('enough'))
    await expect(attempt).rejects.toThrow('enough')
    let closed = false
    const closing = own.close().then(() => (closed = true))
    await pass(399)
    expect(closed).toBe(false)
    await pass(1)
    await closing
    expect(sent.map(({ kind, params }) => [kind, ...params.slice(0, 3)])).toEqual([
      ['acquire', 'job', expect.any(String), null],
      ['release', 'job', '9', null],
    ])
  })

  test('whose first answer comes after its second keeps the one lease that both tell of, and returns any other', async () => {
    for (const [first, released] of [
      ['9', []],
      ['8', [['job', '8', null]]],
    ] as const) {
      const { locks, paramsOf } = scriptedDatabase({
        acquire: (_, n) => answerAfter(n === 1 ? 1_000 : 10, granted(n === 1 ? first : '9')),
      })
      const attempt = locks({ timeoutMs: 500 }).tryAcquire('job')
      await pass(2_000)
      expect(await attempt).toMatchObject({ acquired: true, lease: { token: 9n } })
      expect(paramsOf('release')).toEqual(released)
    }
  })

  test('whose first answer comes late, and the second refuses, gives back what the first has brought', async () => {
    const { locks, paramsOf } = scriptedDatabase({
      acquire: (_, n) => answerAfter(n === 1 ? 1_000 : 10, n === 1 ? granted('4') : refused()),
    })
    const attempt = locks({ timeoutMs: 500 }).tryAcquire('job')
    await pass(2_000)
    expect(await attempt).toMatchObject({ acquired: false })
    expect(paramsOf('release')).toEqual([['job', '4', null]])
  })

  test('that is refused late gives nothing back', async () => {
    const { locks, count } = scriptedDatabase({
      acquire: (_, n) => answerAfter(n === 1 ? 1_000 : 10, n === 1 ? refused() : granted('9')),
    })
    const attempt = locks({ timeoutMs: 500 }).tryAcquire('job')
    await pass(2_000)
    expect(await attempt).toMatchObject({ acquired: true })
    expect(count('release')).toBe(0)
  })

  test('whose answer is read when its time is over has failed, at the very end of it too', async () => {
    const now = performance.now.bind(performance)
    let aheadMs = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
    for (const [tookMs, acquired] of [
      [899, true],
      [900, false],
    ] as const) {
      const { locks } = scriptedDatabase({
        async acquire() {
          aheadMs += tookMs
          return granted('9')
        },
      })
      const own = locks(QUICK)
      const attempt = own.tryAcquire('job')
      if (acquired) expect(await attempt).toMatchObject({ acquired, lease: { held: true } })
      else await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining('had run out') })
      await own.close()
    }
  })

  test.each([
    [500, 0],
    [501, 1],
  ])('whose answer took %d ms of 900 is followed by %d heartbeats at once', async (tookMs, n) => {
    const { locks, count } = scriptedDatabase({ acquire: () => answerAfter(tookMs, granted('9')) })
    const attempt = locks(QUICK).tryAcquire('job')
    await pass(tookMs)
    await attempt
    expect(count('renew')).toBe(n)
  })

  test('whose lease was to be renewed at once, and could not, has it nevertheless', async () => {
    const { locks } = scriptedDatabase({
      acquire: () => answerAfter(600, granted('9')),
      renew: () => Promise.reject(coded('ECONNRESET')),
    })
    const attempt = locks(QUICK).tryAcquire('job')
    await pass(600)
    expect(await attempt).toMatchObject({ acquired: true, lease: { held: true } })
  })

  test('says how long it has waited', async () => {
    const { onEvent, ofType } = eventLog()
    const { locks } = scriptedDatabase({ acquire: () => answerAfter(40, granted('9')) })
    await pass(1_000)
    const attempt = locks({ onEvent, ...QUICK }).tryAcquire('job')
    await pass(40)
    await attempt
    expect(ofType('acquired')).toEqual([{ type: 'acquired', key: 'job', token: 9n, waitedMs: 40 }])
  })

  test('that neither sees nor makes the row says what may hide it', async () => {
    const { locks } = scriptedDatabase({ acquire: () => [{ acquired: false, token: null, held: null }] })
    await expect(locks().tryAcquire('job')).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      message: expect.stringContaining('row security'),
    })
  })

  test('that finds a clock which was set back counts the lease from now', async () => {
    const { locks, paramsOf } = scriptedDatabase({
      acquire: (_, n) => refused({ since_refresh_ms: [-1, 0, 1][n - 1] }),
    })
    const own = locks()
    expect(await own.tryAcquire('job')).toMatchObject({ sinceRefreshMs: 0 })
    await own.tryAcquire('other')
    await own.tryAcquire('third')
    expect(paramsOf('rebase')).toEqual([['job']])
  })

  test('begins to listen for requests to resign, and has its lease where that fails', async () => {
    let listens = 0
    const listen = {
      async listen() {
        listens++
        throw new Error('no LISTEN')
      },
    }
    const { locks } = scriptedDatabase()
    expect(await locks({ listen }).tryAcquire('job')).toMatchObject({ acquired: true })
    expect(listens).toBe(1)
  })

  test('that is aborted in whatever turn as its answer is read gives the lease back, or tells of it', async () => {
    const outcomes = new Set<string>()
    for (let turns = 0; turns < 30; turns++) {
      const stop = new AbortController()
      const { onEvent, types } = eventLog()
      const { locks, paramsOf } = scriptedDatabase({
        async acquire() {
          queueMicrotask(async () => {
            for (let turn = 0; turn < turns; turn++) await null
            stop.abort(new Error('enough'))
          })
          return granted('9')
        },
      })
      const outcome = await locks({ onEvent })
        .tryAcquire('job', { signal: stop.signal })
        .then(
          () => 'acquired',
          (error) => error.message,
        )
      await pass(0)
      outcomes.add(outcome)
      expect(paramsOf('release')).toEqual(outcome === 'acquired' ? [] : [['job', '9', null]])
      expect(types()).toEqual(outcome === 'acquired' ? ['acquired'] : expect.not.arrayContaining(['acquired']))
    }
    expect(outcomes).toEqual(new Set(['enough', 'acquired']))
  })
})

describe('acquire', () => {
  test('refuses to wait for what is no time, before anything is sent', async () => {
    const { locks, sent } = scriptedDatabase()
    for (const waitMs of [-1, Number.NaN, '5' as never])
      await expect(locks().acquire('job', { waitMs })).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
    await expect(locks().acquire('')).rejects.toMatchObject({ code: 'LOCK_BAD_KEY' })
    expect(sent).toEqual([])
    expect((await locks().acquire('job', { waitMs: Number.POSITIVE_INFINITY })).held).toBe(true)
  })
})
