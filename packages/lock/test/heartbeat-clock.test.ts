import { describe, expect, test, vi } from 'vitest'
import { clockedLocks } from './world/clocked-locks.ts'
import { answerAfter, NEVER, pass, useFakedClock } from './world/faked-clock.ts'
import { listener } from './world/listener.ts'
import { coded, renewals, scriptedDatabase } from './world/scripted-database.ts'

vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))
useFakedClock()

describe('a heartbeat', () => {
  test('renews every lease in its own rhythm, those that are due together by one statement', async () => {
    const { acquire, renewed } = clockedLocks()
    await acquire('long', { ttlMs: 1_000 })
    await acquire('short', { ttlMs: 400 })
    await pass(600)
    expect(renewed()).toEqual([
      '100: short',
      '200: long short',
      '300: short',
      '400: long short',
      '500: short',
      '600: long short',
    ])
  })

  test('is not put off by leases that come and go, and sends nothing where none is due', async () => {
    const { acquire, renewed } = clockedLocks()
    await acquire('kept')
    const short = await acquire('short', { ttlMs: 400 })
    await pass(50)
    await short.release()
    for (let n = 0; n < 5; n++) {
      const other = await acquire(`other ${n}`)
      await pass(90)
      await other.release()
    }
    expect(renewed()).toEqual(['200: kept', '400: kept'])
  })

  test('keeps its pace while leases of the same rhythm come', async () => {
    const { acquire, renewed } = clockedLocks()
    await acquire('first')
    await pass(150)
    await acquire('second')
    await pass(300)
    expect(renewed()).toEqual(['200: first second', '400: first second'])
  })

  test('ends with the last lease, and begins with the next', async () => {
    const { acquire, renewed } = clockedLocks()
    await (await acquire()).release()
    expect(vi.getTimerCount()).toBe(0)
    await pass(1_000)
    expect(renewed()).toEqual([])
    await acquire()
    await pass(200)
    expect(renewed()).toEqual(['1200: job'])
  })

  test('that is answered in time leaves no doubt, however slow the answers are', async () => {
    const { acquire, types } = clockedLocks({ renew: (params) => answerAfter(190, renewals(params)) })
    const lease = await acquire()
    await pass(2_000)
    expect(lease.held).toBe(true)
    expect(new Set(types())).toEqual(new Set(['acquired', 'renewed']))
  })

  test('without an answer is doubtful after the time of the fastest lease in it, and said once', async () => {
    const { acquire, ofType } = clockedLocks({ renew: () => NEVER })
    await acquire('long', { ttlMs: 1_000 })
    await acquire('short', { ttlMs: 400 })
    const doubts: string[] = []
    for (let n = 0; n < 5; n++) {
      await pass(100)
      doubts.push(
        ofType('doubtful')
          .map(({ key }) => key)
          .join(' '),
      )
    }
    expect(doubts).toEqual(['', 'short', 'short long', 'short long', 'short long'])
    expect(ofType('doubtful')[0]).toMatchObject({
      token: 2n,
      expiresInMs: 100,
      cause: { code: 'LOCK_FAILED', message: 'the database has not answered a heartbeat' },
    })
  })

  test('that fails goes over the other connection next, also where several have failed over the first', async () => {
    const own = scriptedDatabase({ renew: () => Promise.reject(coded('ECONNRESET')) })
    const { acquire, renewed, events, ofType } = clockedLocks({}, { heartbeat: own.db })
    const lease = await acquire()
    const results = await Promise.allSettled([lease.refresh(), lease.refresh()])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(own.count('renew')).toBe(2)
    await pass(400)
    expect(own.count('renew')).toBe(2)
    expect(renewed()).toEqual(['200: job', '400: job'])
    expect(events.map(({ type }) => type)).toEqual(['acquired', 'doubtful', 'renewed', 'renewed'])
    expect(ofType('doubtful')[0]).toMatchObject({ cause: { code: 'LOCK_FAILED', cause: { code: 'ECONNRESET' } } })
  })

  test('comes back to its own connection when the other has failed too', async () => {
    let ownFails = true
    const own = scriptedDatabase({
      renew: (params) => (ownFails ? Promise.reject(coded('ECONNRESET')) : Promise.resolve(renewals(params))),
    })
    const { acquire, count } = clockedLocks({ renew: () => Promise.reject(coded('ECONNRESET')) }, { heartbeat: own.db })
    await acquire()
    await pass(400)
    ownFails = false
    await pass(400)
    expect([own.count('renew'), count('renew')]).toEqual([3, 1])
  })

  test('of a row that is locked for a moment is sent again for that row alone', async () => {
    const { acquire, locks, renewed, types } = clockedLocks({
      renew: (params, n) =>
        renewals(params).map((row: any, i: number) => (i === 0 && n < 3 ? { ...row, outcome: 'locked' } : row)),
    })
    await acquire('locked')
    await acquire('other')
    await pass(200)
    await pass(100)
    expect(renewed()).toEqual(['200: locked other', '210: locked', '250: locked'])
    expect(types()).toEqual(['acquired', 'acquired', 'renewed', 'renewed'])
    await locks.close()
  })

  test('of a row that stays locked says so, and the lease may hold nevertheless', async () => {
    const { acquire, renewed, ofType } = clockedLocks({ renew: (params) => renewals(params, 'locked') })
    const lease = await acquire()
    const refreshing = lease.refresh()
    refreshing.catch(() => {})
    await pass(50)
    await expect(refreshing).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      message: 'another transaction has locked the row of "job"',
    })
    expect(renewed()).toEqual(['0: job', '10: job', '50: job'])
    expect(lease.held).toBe(true)
    expect(ofType('doubtful')).toHaveLength(1)
  })

  test('finds leases that were lost one by one, each with its reason', async () => {
    const outcomes = ['renewed', 'taken', 'broken', 'deleted', 'expired', 'released']
    const { acquire, events, renewed } = clockedLocks({
      renew: (params) => renewals(params).map((row: any) => ({ ...row, outcome: outcomes[row.n] })),
    })
    const leases = await Promise.all(outcomes.map((key) => acquire(key)))
    await pass(200)
    const lost = events.flatMap((event) => (event.type === 'lost' ? [`${event.key}: ${event.reason}`] : []))
    // Someone else's release of it is a break.
    expect(lost).toEqual(['taken: taken', 'broken: broken', 'deleted: deleted', 'expired: expired', 'released: broken'])
    expect(leases.map(({ held }) => held)).toEqual([true, false, false, false, false, false])
    expect(leases.map(({ signal }) => signal.aborted)).toEqual([false, true, true, true, true, true])
    await pass(200)
    expect(renewed().at(-1)).toBe('400: renewed')
  })

  test('is sent at once when a listener tells of the key, for the newest lease of it', async () => {
    const { connection, wake } = listener()
    const { acquire, renewed, paramsOf } = clockedLocks({}, { listen: connection })
    for (const key of ['job', 'job', 'other']) await acquire(key)
    wake('job')
    wake('nobody has this')
    await pass(0)
    expect(renewed()).toEqual(['0: job'])
    expect(JSON.parse(paramsOf('renew')[0]![0])).toEqual([{ n: 0, key: 'job', token: '2', ttl_ms: 1_000 }])
  })

  test('at once that fails is no more than a doubt', async () => {
    const { connection, wake } = listener()
    const { acquire, ofType } = clockedLocks(
      { renew: () => Promise.reject(coded('ECONNRESET')) },
      { listen: connection },
    )
    await acquire()
    wake('job')
    await pass(0)
    expect(ofType('doubtful')).toHaveLength(1)
  })
})
