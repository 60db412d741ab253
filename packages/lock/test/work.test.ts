import { once } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { LeaseLostError } from '../src/index.ts'
import { answerAfter, later, NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { coded, granted, refused, renewals, scriptedDatabase } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

const QUICK = { ttlMs: 1_000, heartbeatMs: 200, marginMs: 100 }

describe('withLock', () => {
  test('returns what the work brings, under a lease that the work sees, and releases it', async () => {
    const { locks, count } = scriptedDatabase()
    const result = await locks(QUICK).withLock('job', {}, async (lease, signal) => {
      expect(lease).toMatchObject({ key: 'job', token: 1n, held: true, expiresInMs: 900 })
      expect(lease.signal).toBe(signal)
      expect(Object.keys(lease)).toContain('signal')
      return 'done'
    })
    expect(result).toBe('done')
    expect(count('release')).toBe(1)
  })

  test('throws the error of the work, when the lease is released', async () => {
    const { locks, count } = scriptedDatabase({ release: () => answerAfter(50, [{ released: true }]) })
    let failed = false
    const working = later(
      locks().withLock('job', {}, async () => {
        throw new Error('the work failed')
      }),
    )
    working.catch(() => (failed = true))
    await pass(49)
    expect([count('release'), failed]).toEqual([1, false])
    await pass(1)
    await expect(working).rejects.toThrow('the work failed')
  })

  test('throws the error of the work where the release fails too', async () => {
    const { locks } = scriptedDatabase({ release: () => Promise.reject(coded('ECONNRESET')) })
    const working = locks().withLock('job', {}, async () => {
      throw new Error('the work failed')
    })
    await expect(working).rejects.toThrow('the work failed')
    expect(await locks().withLock('job', {}, async () => 'done')).toBe('done')
  })

  test('throws the loss for work that was aborted by it, and what the work says otherwise', async () => {
    const lost = { renew: (params: any[]) => renewals(params, 'taken') }
    const aborted = () => Object.assign(new Error('aborted'), { name: 'AbortError' })
    const end = async (error: () => unknown, loses: boolean) => {
      const { locks } = scriptedDatabase(loses ? lost : {})
      return locks(QUICK)
        .withLock('job', {}, async (_, signal) => {
          setTimeout(() => {}, 0)
          if (loses) await once(signal, 'abort')
          throw error()
        })
        .then(
          () => expect.unreachable(),
          (failure) => failure,
        )
    }
    const [byLoss, byItself, other, nothing] = [
      end(aborted, true),
      end(aborted, false),
      end(() => new Error('the work failed'), true),
      end(() => null, true),
    ].map((each) => later(each))
    await pass(300)
    expect(await byLoss).toBeInstanceOf(LeaseLostError)
    expect(await byItself).toMatchObject({ message: 'aborted' })
    expect(await other).toMatchObject({ message: 'the work failed' })
    expect(await nothing).toBeNull()
  })

  test('rejects with a loss that the work has not looked at, at once where it is known', async () => {
    const { locks } = scriptedDatabase({
      renew: (params) => renewals(params, 'taken'),
      release: () => NEVER,
    })
    const working = later(
      locks(QUICK).withLock('job', {}, async (lease) => {
        await lease.refresh().catch(() => {})
        return 'done'
      }),
    )
    await expect(working).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'taken' })
  })

  test('rejects with a loss that only the release finds', async () => {
    const { locks } = scriptedDatabase({
      renew: (params) => renewals(params, 'broken'),
      release: () => [{ released: false }],
    })
    await expect(locks().withLock('job', {}, async () => 'done')).rejects.toMatchObject({ reason: 'broken' })
  })

  test('that lost its lease for want of an answer does not wait for its release', async () => {
    const { locks, count } = scriptedDatabase({ renew: () => NEVER, release: () => NEVER })
    const working = later(
      locks(QUICK).withLock('job', {}, async (_, signal) => {
        await once(signal, 'abort')
        return 'done'
      }),
    )
    await pass(900)
    await expect(working).rejects.toMatchObject({ reason: 'unreachable' })
    expect(count('release')).toBe(1)
  })

  test('aborts the work by the signal of the caller and by closing', async () => {
    const { locks } = scriptedDatabase()
    const stop = new AbortController()
    const own = locks()
    const reasonOf = (options: object, abort: () => unknown) =>
      own.withLock('job', options, async (lease, signal) => {
        setTimeout(abort, 1)
        await once(signal, 'abort')
        expect(lease.signal.aborted).toBe(true)
        return signal.reason
      })
    const byCaller = reasonOf({ signal: stop.signal }, () => stop.abort(new Error('enough')))
    await pass(1)
    expect(await byCaller).toMatchObject({ message: 'enough' })
    const byClosing = reasonOf({}, () => own.close())
    await pass(1)
    expect(await byClosing).toMatchObject({ code: 'LOCK_CLOSED' })
  })

  test('tells of the outer of two leases in the work of the inner', async () => {
    const { locks } = scriptedDatabase({ acquire: (_, n) => (n < 3 ? granted(`${n}`) : refused({ token: '1' })) })
    const own = locks()
    const nested = own.withLock('outer', {}, () =>
      own.withLock('inner', {}, () => own.acquire('outer', { waitMs: 1_000 })),
    )
    await expect(nested).rejects.toMatchObject({ code: 'LOCK_DEADLOCK' })
  })
})

describe('runWhileLeader', () => {
  const lead = (database: ReturnType<typeof scriptedDatabase>, work: (n: number, signal: AbortSignal) => unknown) => {
    const stop = new AbortController()
    const terms: number[] = []
    const leading = later(
      database.locks(QUICK).runWhileLeader(
        'job',
        async (_, signal) => {
          terms.push(performance.now())
          await work(terms.length, signal)
        },
        { signal: stop.signal },
      ),
    )
    return { stop, terms, leading }
  }

  test('leaves others their turn after work that has ended by itself, longer than they pause', async () => {
    const { stop, terms, leading } = lead(scriptedDatabase(), () => {})
    await pass(3_000)
    expect(terms).toEqual([0, 1_200, 2_400])
    stop.abort()
    await leading
    expect(vi.getTimerCount()).toBe(0)
    const slow = scriptedDatabase()
    const times: number[] = []
    const startedAt = performance.now()
    const slowStop = new AbortController()
    const slowly = slow
      .locks({ ttlMs: 90_000, heartbeatMs: 5_000 })
      .runWhileLeader('job', async () => times.push(performance.now() - startedAt), { signal: slowStop.signal })
    await pass(6_000)
    expect(times).toEqual([0, 5_000])
    slowStop.abort()
    await slowly
  })

  test('campaigns at once after a loss, whatever the work says of that, and releases what may still be its', async () => {
    const database = scriptedDatabase({ renew: (params, n) => renewals(params, n === 1 ? 'taken' : 'renewed') })
    const { terms, leading, stop } = lead(database, async (n, signal) => {
      if (n === 1) await once(signal, 'abort')
      if (n === 1) throw new Error('it comes of the loss')
      await once(signal, 'abort')
    })
    await pass(300)
    expect(terms).toEqual([0, 200])
    stop.abort()
    await leading
    const silent = scriptedDatabase({ renew: (params, n) => (n < 5 ? NEVER : renewals(params)) })
    const startedAt = performance.now()
    const second = lead(silent, (_, signal) => once(signal, 'abort'))
    await pass(950)
    expect(second.terms.map((time) => time - startedAt)).toEqual([0, 900])
    expect(silent.count('release')).toBeGreaterThanOrEqual(1)
    second.stop.abort()
    await second.leading
  })

  test('rejects with the error of work that still had its lease', async () => {
    const { leading } = lead(scriptedDatabase(), () => {
      throw new Error('the work failed')
    })
    await expect(leading).rejects.toThrow('the work failed')
  })

  test('pauses after a fault that may pass, and rejects with one that does not', async () => {
    const database = scriptedDatabase({ acquire: (_, n) => Promise.reject(coded(n < 60 ? 'ECONNREFUSED' : '28P01')) })
    const { leading, terms } = lead(database, () => {})
    await pass(60_000)
    await expect(leading).rejects.toMatchObject({ cause: { code: '28P01' } })
    expect(terms).toEqual([])
    const pauses = database.times('acquire').map((time, n, all) => time - (all[n - 1] ?? time))
    expect(Math.max(...pauses)).toBe(1_200)
  })

  test('returns when it is told to, in a campaign, in the work and in a pause', async () => {
    const aborted = (signal: AbortSignal) =>
      Object.assign(new Error('aborted'), { name: 'AbortError', cause: signal.reason })
    for (const work of [
      async (_: number, signal: AbortSignal) => void (await once(signal, 'abort')),
      async (_: number, signal: AbortSignal) => {
        await once(signal, 'abort')
        throw signal.reason
      },
      async (_: number, signal: AbortSignal) => {
        await once(signal, 'abort')
        throw aborted(signal)
      },
      () => {},
    ]) {
      const { stop, leading, terms } = lead(scriptedDatabase(), work)
      await pass(50)
      stop.abort(new Error('enough'))
      expect(await leading).toBeUndefined()
      expect(terms).toHaveLength(1)
    }
    const refusing = lead(scriptedDatabase({ acquire: () => refused() }), () => expect.unreachable())
    await pass(50)
    refusing.stop.abort()
    await refusing.leading
  })

  test('does not hide an error of work that fails as it is told to end', async () => {
    for (const error of [new Error('could not save'), null]) {
      const { stop, leading } = lead(scriptedDatabase(), async (_, signal) => {
        await once(signal, 'abort')
        throw error
      })
      await pass(50)
      stop.abort()
      await expect(leading).rejects.toBe(error)
    }
  })

  test('that is aborted before it begins campaigns for nothing', async () => {
    const { locks, sent } = scriptedDatabase()
    await locks().runWhileLeader('job', () => expect.unreachable(), { signal: AbortSignal.abort() })
    expect(sent).toEqual([])
  })
})
