/**
 * What River's tests of its elector, and of the leader queries of its drivers, ask of an election; in the terms of this
 * package. Suite: riverqueue/river at fdf6cdf, internal/leadership, internal/maintenance/queue_maintainer_leader_test.go,
 * riverdriver/riverdrivertest/leader.go, and what client_test.go asks of a resignation.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { createLocks } from '../../src/index.ts'
import { lockWorld, routes, serverRoutes } from '../world/lock-world.ts'
import { eventLog } from './event-log.ts'
import { campaign } from './leading.ts'
import { cut, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }
/** For leaders that are to hear of something soon. */
const EAGER = { ...QUICK, heartbeatMs: 150 }
/** For leaders that are to lose it. */
const SHORT = { ttlMs: 700, heartbeatMs: 150, marginMs: 100 }

describe.each(routes)('on %s an elector', (route) => {
  test('starts, leads, and has given the key free when it has stopped', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const elector = campaign(world.another({ onEvent: log.onEvent }))
    const lease = await elector.term(1)
    expect(await world.locks.inspect('job')).toMatchObject({
      token: lease.token,
      holder: { pid: process.pid },
    })
    await elector.stop()
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'released' })
    expect(log.types()).toEqual(['acquired', 'released'])
  })

  test('is denied while another leads, and leads when that one has stopped', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const first = campaign(world.locks)
    const { token } = await first.term(1)
    const second = campaign(world.another({ onEvent: log.onEvent }))
    expect(await log.next('contended')).toMatchObject({ token })
    expect(second.terms).toEqual([])
    await first.stop()
    expect((await second.term(1)).token).toBeGreaterThan(token)
    await second.stop()
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null })
  })

  test('of one table knows nothing of those of another', async () => {
    await using one = await lockWorld(route, QUICK)
    await using other = await lockWorld(route, QUICK)
    const electors = [campaign(one.locks), campaign(other.locks)]
    const leases = await Promise.all(electors.map((elector) => elector.term(1)))
    expect(await one.locks.inspect('job')).toMatchObject({ token: leases[0]!.token })
    expect(await other.locks.inspect('job')).toMatchObject({ token: leases[1]!.token })
    await Promise.all(electors.map((elector) => elector.stop()))
  })

  test('goes on leading, renewal after renewal', async () => {
    await using world = await lockWorld(route, EAGER)
    const log = eventLog()
    const elector = campaign(world.another({ onEvent: log.onEvent }))
    await elector.term(1)
    await log.next('renewed', 3)
    expect(elector.terms).toHaveLength(1)
    await elector.stop()
    expect(log.types().filter((type) => type !== 'renewed')).toEqual(['acquired', 'released'])
  })

  test('loses its term to a newer one of the same holder, and leaves that alone', async () => {
    await using world = await lockWorld(route, EAGER)
    const log = eventLog()
    const locks = world.another({ onEvent: log.onEvent })
    const elector = campaign(locks)
    const older = await elector.term(1)
    await world.expire('job')
    const newer = await locks.acquire('job')
    await once(older.signal, 'abort')
    expect(older.signal.reason).toMatchObject({ reason: 'taken' })
    expect(await log.next('contended')).toMatchObject({ token: newer.token })
    expect(await world.locks.inspect('job')).toMatchObject({ token: newer.token })
    expect(newer.held).toBe(true)
    await elector.stop()
  })

  test('can be started and stopped at any moment, many at a time', async () => {
    await using world = await lockWorld(route, QUICK)
    let leading = 0
    const run = async (n: number) => {
      const stop = new AbortController()
      const running = world.another().runWhileLeader(
        'job',
        async (_, signal) => {
          expect(++leading).toBe(1)
          if (!signal.aborted) await once(signal, 'abort')
          leading--
        },
        { signal: stop.signal },
      )
      await sleep(n * 7)
      stop.abort()
      await running
    }
    await Promise.all(Array.from({ length: 12 }, (_, n) => run(n)))
    // A statement that was on its way when its elector stopped is given back.
    await world.locks.acquire('job', { waitMs: 10_000 })
  })

  test('stops when its locks are closed: its work is aborted, and another can lead', async () => {
    await using world = await lockWorld(route, QUICK)
    const stopped = Promise.withResolvers<void>()
    const leading = Promise.withResolvers<void>()
    const locks = world.another()
    const running = locks
      .runWhileLeader('job', async (_, signal) => {
        leading.resolve()
        await once(signal, 'abort')
        stopped.resolve()
      })
      .catch((error) => expect(error).toMatchObject({ code: 'LOCK_CLOSED' }))
    await leading.promise
    await locks.close()
    await world.locks.acquire('job', { waitMs: 2_000 })
    await stopped.promise
    await running
  })

  test('ends with the error of its work, and gives the key free for the next', async () => {
    await using world = await lockWorld(route, QUICK)
    const failing = world.locks.runWhileLeader('job', () => Promise.reject(new Error('did not start')))
    await expect(failing).rejects.toThrow('did not start')
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('reports each change to its listener in order, and does not wait for the listener', async () => {
    await using world = await lockWorld(route, QUICK)
    const seen: string[] = []
    const onEvent = async ({ type }: { type: string }) => {
      seen.push(type)
      await sleep(60_000, undefined, { ref: false })
    }
    const elector = campaign(world.another({ onEvent }))
    await elector.term(1)
    await elector.stop()
    expect(seen).toEqual(['acquired', 'released'])
  })
})

describe.each(routes)('on %s trust in a term', (route) => {
  test('ends when renewals have failed for too long: the work is stopped and the key given free', async () => {
    await using world = await lockWorld(route, SHORT)
    const log = eventLog()
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const elector = campaign(world.another({ onEvent: log.onEvent }, db))
    const lease = await elector.term(1)
    await log.next('released')
    expect(lease.signal.reason).toMatchObject({ reason: 'unreachable', cause: { code: 'LOCK_FAILED' } })
    expect(log.types()).toEqual(['acquired', 'doubtful', 'lost', 'released'])
    await elector.stop()
  })

  test('is not extended by a renewal that succeeds after it has ended', async () => {
    await using world = await lockWorld(route, SHORT)
    const log = eventLog()
    const answer = Promise.withResolvers<void>()
    const slow = {
      async query(text: string, params?: unknown[]) {
        const result = await world.db.query(text, params)
        if (/SET last_refreshed_at = locked/.test(text)) await answer.promise
        return result
      },
    }
    const startedAt = performance.now()
    const lease = await world.another({ onEvent: log.onEvent }, slow).acquire('job')
    await log.next('lost')
    expect(performance.now() - startedAt).toBeLessThan(SHORT.ttlMs + 500)
    answer.resolve()
    await sleep(20)
    expect(lease.held).toBe(false)
    expect(log.ofType('renewed')).toEqual([])
    expect(await lease.release()).toBe(true)
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null })
  })

  test('is measured by a clock that nobody can set', async () => {
    await using world = await lockWorld(route, SHORT)
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const lease = await world.another({}, db).acquire('job')
    const anHourAgo = Date.now() - 3_600_000
    using _ = vi.spyOn(Date, 'now').mockImplementation(() => anHourAgo)
    await once(lease.signal, 'abort')
    expect(lease.held).toBe(false)
  })
})

describe.each(routes)('on %s a request to resign', (route) => {
  test('ends the term, and the elector stands again', async () => {
    await using world = await lockWorld(route, EAGER)
    const log = eventLog()
    const elector = campaign(world.another({ onEvent: log.onEvent }))
    const { token } = await elector.term(1)
    await log.next('renewed')
    expect(await world.locks.requestResign('job')).toBe(true)
    expect(await log.next('resign_requested')).toMatchObject({ token })
    expect((await elector.term(2)).token).toBeGreaterThan(token)
    await elector.stop()
  })

  test('right after the election is heard too', async () => {
    await using world = await lockWorld(route, EAGER)
    const elector = campaign(world.locks)
    await elector.term(1)
    await world.another().requestResign('job')
    await elector.term(2)
    await elector.stop()
  })

  test('made five times ends one term', async () => {
    await using world = await lockWorld(route, EAGER)
    const log = eventLog()
    const elector = campaign(world.another({ onEvent: log.onEvent }))
    await elector.term(1)
    for (let n = 0; n < 5; n++) await world.locks.requestResign('job')
    await elector.term(2)
    await log.next('renewed', log.ofType('renewed').length + 2)
    expect(elector.terms).toHaveLength(2)
    expect(log.ofType('resign_requested')).toHaveLength(1)
    await elector.stop()
  })

  test('reaches nobody where nobody leads, or another term than it is meant for', async () => {
    await using world = await lockWorld(route, QUICK)
    expect(await world.locks.requestResign('job')).toBe(false)
    const older = await world.locks.acquire('job')
    await older.release()
    expect(await world.locks.requestResign('job')).toBe(false)
    const newer = await world.locks.acquire('job')
    expect(await world.locks.requestResign('job', { token: older.token })).toBe(false)
    await newer.refresh()
    expect(newer.resignSignal.aborted).toBe(false)
    expect(await world.locks.requestResign('job', { token: newer.token })).toBe(true)
  })
})

describe.each(serverRoutes)('on %s a request to resign', (route) => {
  test('made in a transaction reaches the leader when that has committed', async () => {
    await using world = await lockWorld(route, EAGER)
    const elector = campaign(world.locks)
    const lease = await elector.term(1)
    const client = await (world.db as pg.Pool).connect()
    await client.query('BEGIN')
    expect(await createLocks(client, { table: world.table }).requestResign('job')).toBe(true)
    expect(await world.locks.inspect('job')).toMatchObject({ resignRequested: false })
    await client.query('COMMIT')
    client.release()
    await once(lease.resignSignal, 'abort')
    await elector.term(2)
    await elector.stop()
  })
})
