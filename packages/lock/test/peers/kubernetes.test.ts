/**
 * What the tests of Kubernetes' leader election ask of an election, a lease record and a health check; in the terms of
 * this package. Suite: kubernetes/client-go at 32ce75a, tools/leaderelection and its resourcelock.
 */
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createLocks, type LeaderWork, type Lease } from '../../src/index.ts'
import { lockWorld, routes } from '../world/lock-world.ts'
import { eventLog } from './event-log.ts'
import { cut, sqlError, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }

/** Work that ends with its signal, and a promise of the lease under which it runs. */
function untilStopped() {
  const leading = Promise.withResolvers<Lease>()
  const work: LeaderWork = async (lease, signal) => {
    leading.resolve(lease)
    if (!signal.aborted) await once(signal, 'abort')
  }
  return { work, leading: leading.promise }
}

describe.each(routes)('on %s a candidate', (route) => {
  test('is elected where nobody ever led', async () => {
    await using world = await lockWorld(route, { ...QUICK, holder: { host: 'baz' } })
    const stop = new AbortController()
    const { work, leading } = untilStopped()
    const running = world.locks.runWhileLeader('job', work, { signal: stop.signal })
    expect(await leading.then(() => world.locks.inspect('job'))).toMatchObject({ holder: { host: 'baz' } })
    stop.abort()
    await running
  })

  test('is elected where the last leader has resigned, with a greater token', async () => {
    await using world = await lockWorld(route, QUICK)
    const last = await world.locks.acquire('job')
    await last.release()
    expect((await world.another().acquire('job', { waitMs: 0 })).token).toBeGreaterThan(last.token)
  })

  test('is elected over a record that another program left without a leader', async () => {
    await using world = await lockWorld(route, { ...QUICK, holder: { host: 'baz' } })
    await world.db.query(
      `INSERT INTO ${world.table} (key, holder_pid, holder_host, acquired_at, expires_at)
       VALUES ('job', 0, '', clock_timestamp() - interval '1 day', clock_timestamp() - interval '1 day')`,
    )
    await world.locks.acquire('job', { waitMs: 0 })
    expect(await world.locks.inspect('job')).toMatchObject({ holder: { host: 'baz' } })
  })

  test('is elected when the leader has not renewed for as long as its own lease lasts, not earlier', async () => {
    await using world = await lockWorld(route, QUICK)
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const startedAt = performance.now()
    const silent = await world.another({ ttlMs: 700, heartbeatMs: 150 }, db).acquire('job')
    const next = await world.another({ ttlMs: 90_000, heartbeatMs: 15_000 }).acquire('job')
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(700)
    expect(next.token).toBeGreaterThan(silent.token)
  })

  test('is refused while another leads, and reports each new leader once', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const stop = new AbortController()
    const bing = await world.another({ holder: { host: 'bing' } }).acquire('job')
    const waiting = world
      .another({ onEvent: log.onEvent })
      .acquire('job', { signal: stop.signal })
      .catch(() => {})
    expect(await log.next('contended')).toMatchObject({ token: bing.token, holder: { host: 'bing' } })
    await world.db.query(
      `UPDATE ${world.table} SET holder_host = 'boom', acquired_at = clock_timestamp() WHERE key = 'job'`,
    )
    expect(await log.next('contended', 2)).toMatchObject({ holder: { host: 'boom' } })
    stop.abort()
    await waiting
    expect(log.types()).toEqual(['contended', 'contended'])
  })
})

describe.each(routes)('on %s a leader', (route) => {
  test('renews in the same term: token and beginning stay, the expiry moves', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    const before = await world.row('job')
    await lease.refresh()
    const after = await world.row('job')
    expect(after).toMatchObject({ token: before.token, acquired_at: before.acquired_at })
    expect(after.expires_at.getTime()).toBeGreaterThan(before.expires_at.getTime())
  })

  test('renews by one statement each, without reading first', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = statementLog(world.db)
    const lease = await world.another({}, log.db).acquire('job')
    await lease.refresh()
    await lease.refresh()
    expect(log.kinds).toEqual(['acquire', 'renew', 'renew'])
  })

  test.each(['40001', '40P01'])('goes on leading after a renewal that the database broke off by %s', async (code) => {
    await using world = await lockWorld(route, QUICK)
    let conflicts = 0
    const log = eventLog()
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew' && ++conflicts === 1) throw sqlError(code)
    })
    const lease = await world.another({ onEvent: log.onEvent }, db).acquire('job')
    await lease.refresh()
    expect([lease.held, conflicts]).toEqual([true, 2])
    expect(log.types()).toEqual(['acquired', 'renewed'])
  })

  test('is seen as leading by every check that is made while it renews', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    let renewing = true
    const renewals = (async () => {
      for (let n = 0; n < 20; n++) await lease.refresh()
      renewing = false
    })()
    while (renewing) {
      expect(lease.held).toBe(true)
      expect(lease.expiresInMs).toBeGreaterThan(0)
      await new Promise(setImmediate)
    }
    await renewals
  })

  test('that resigns leaves the record without a leader', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    expect(await lease.release()).toBe(true)
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'released' })
  })

  test('that resigns goes by the record as it is now: a newer term stays', async () => {
    await using world = await lockWorld(route, QUICK)
    const older = await world.locks.acquire('job')
    await world.expire('job')
    const newer = await world.another().acquire('job')
    expect(await older.release()).toBe(false)
    expect(await world.locks.inspect('job')).toMatchObject({ token: newer.token })
    await newer.refresh()
  })

  test('that resigns tries again where the database broke it off for a conflict', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = statementLog(world.db, (kind) => {
      if (kind === 'release' && log.count('release') === 1) throw sqlError('40001')
    })
    const lease = await world.another({}, log.db).acquire('job')
    expect(await lease.release()).toBe(true)
    expect(log.count('release')).toBe(2)
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null })
  })

  test.each([
    ['hangs, and then fails', cut],
    ['hangs, and then is aborted', () => new DOMException('the statement was aborted', 'AbortError')],
  ])('that is stopped while a renewal %s gives the key free', async (_, fault) => {
    await using world = await lockWorld(route, QUICK)
    const renewing = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const log = eventLog()
    const { db } = statementLog(world.db, async (kind) => {
      if (kind !== 'renew') return
      renewing.resolve()
      await answer.promise
      throw fault()
    })
    const stop = new AbortController()
    const { work } = untilStopped()
    const locks = world.another({ onEvent: log.onEvent }, db)
    const running = locks.runWhileLeader('job', work, { signal: stop.signal })
    await renewing.promise
    stop.abort()
    answer.resolve()
    await running
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'released' })
    expect(log.types().filter((type) => type !== 'doubtful')).toEqual(['acquired', 'released'])
  })
})

describe.each(routes)('on %s a record', (route) => {
  test('that is not there is null', async () => {
    await using world = await lockWorld(route, QUICK)
    expect(await world.locks.inspect('job')).toBeNull()
  })

  test('is read as it was written', async () => {
    await using world = await lockWorld(route, {
      ...QUICK,
      holder: { host: 'foo', pid: 10, label: 'scheduler' },
    })
    const info = { strategy: 'oldest', versions: [1, 2] }
    const lease = await world.locks.acquire('job', { info })
    const state = await world.locks.inspect('job')
    expect(state).toMatchObject({
      key: 'job',
      token: lease.token,
      holder: { host: 'foo', pid: 10, label: 'scheduler' },
      info,
      resignRequested: false,
    })
    expect(Math.abs(state!.acquiredAt.getTime() - Date.now())).toBeLessThan(60_000)
    expect(state!.expiresInMs).toBeLessThanOrEqual(QUICK.ttlMs)
    expect(JSON.parse(JSON.stringify(state))).toMatchObject({ token: String(lease.token), info })
  })

  test('is not written by a lease that is over', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job', { info: 'old' })
    await lease.release()
    await expect(lease.update('new')).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
    const older = await world.locks.acquire('job')
    await world.expire('job')
    await world.another().acquire('job', { info: 'of another' })
    await expect(older.update('new')).rejects.toMatchObject({ reason: 'taken' })
    expect(await world.locks.inspect('job')).toMatchObject({ info: 'of another' })
  })

  test('accepts info where it had none, and can clear it again', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    await lease.update({ step: 1 })
    expect(await world.locks.inspect('job')).toMatchObject({ info: { step: 1 } })
    await lease.refresh()
    expect(await world.locks.inspect('job')).toMatchObject({ info: { step: 1 } })
    await lease.update(null)
    expect(await world.locks.inspect('job')).toMatchObject({ info: null })
  })
})

describe.each(routes)('on %s a health check', (route) => {
  const SHORT = { ttlMs: 800, heartbeatMs: 150, marginMs: 100 }

  test('finds a leader well, in doubt but leading after a failed renewal, and not leading when its time is over', async () => {
    await using world = await lockWorld(route, SHORT)
    const log = eventLog()
    const { db } = statementLog(world.db, (kind) => {
      if (kind === 'renew') throw cut()
    })
    const lease = await world.another({ onEvent: log.onEvent }, db).acquire('job')
    expect(lease.held).toBe(true)
    expect(await log.next('doubtful')).toMatchObject({ expiresInMs: expect.any(Number) })
    expect(lease.held).toBe(true)
    await log.next('lost')
    expect(lease.held).toBe(false)
    expect(() => lease.assertHeld()).toThrow('"job"')
  })
})

describe('an election', () => {
  const db = { query: async () => ({ rows: [] }) }

  test('refuses times under which a leader could not fail to renew once', () => {
    expect(() => createLocks(db, QUICK)).not.toThrow()
    for (const wrong of [{ heartbeatMs: 700 }, { marginMs: 1_900 }, { ttlMs: 0 }, { heartbeatMs: 0 }]) {
      expect(() => createLocks(db, { ...QUICK, ...wrong })).toThrow(
        expect.objectContaining({ code: 'LOCK_BAD_OPTIONS' }),
      )
    }
  })

  test('never runs under an empty identity', async () => {
    const ids: unknown[] = []
    const spying = {
      async query(_: string, params: unknown[] = []) {
        ids.push(params[1])
        return {
          rows: [{ acquired: false, token: '1', held: { held_for_ms: 1, since_refresh_ms: 1, expires_in_ms: 1 } }],
        }
      },
    }
    for (let n = 0; n < 2; n++) await createLocks(spying, { holder: { host: '', pid: 0 } }).tryAcquire('job')
    expect(ids.every((id) => typeof id === 'string' && id.length > 8)).toBe(true)
    expect(new Set(ids).size).toBe(2)
  })
})
