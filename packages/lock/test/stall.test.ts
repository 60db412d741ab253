import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { LeaseEvent, Queryable } from '../src/index.ts'
import { isRenewal } from './world/lock-world.ts'
import { serverWorld } from './world/server-world.ts'

/** Resolves when an event of that type has come so often. */
function eventCounter() {
  const events: LeaseEvent[] = []
  const waiting: { type: string; times: number; resolve: () => void }[] = []
  const count = (type: string) => events.filter((event) => event.type === type).length
  return {
    events,
    onEvent(event: LeaseEvent) {
      events.push(event)
      for (const { type, times, resolve } of waiting) if (count(type) >= times) resolve()
    },
    reached: (type: LeaseEvent['type'], times: number) =>
      new Promise<void>((resolve) => {
        waiting.push({ type, times, resolve })
        if (count(type) >= times) resolve()
      }),
  }
}

describe('a heartbeat', () => {
  test('whose connection stalls goes on over the others of the pool, also for leases that are taken later', async () => {
    await using world = await serverWorld()
    const pool = world.pool({ through: 'proxy' })
    const { onEvent, reached, events } = eventCounter()
    const locks = world.locks(pool, { onEvent })
    const lease = await locks.acquire('job')
    world.proxy.silence()
    await reached('doubtful', 1)
    const later = await locks.acquire('later')
    // Longer than a lease lasts without a beat.
    await reached('renewed', 10)
    expect([lease.held, later.held]).toEqual([true, true])
    expect(events.filter(({ type }) => type === 'lost')).toEqual([])
  })

  test('has a connection of its own, so that a pool full of other work costs no lease', async () => {
    await using world = await serverWorld()
    const busy = world.pool({ max: 1 })
    const { onEvent, reached } = eventCounter()
    const locks = world.locks(busy, { heartbeat: world.pool({ max: 1 }), onEvent })
    const lease = await locks.acquire('job')
    const only = await busy.connect()
    await reached('renewed', 6)
    expect(lease.held).toBe(true)
    only.release()
  })

  test('goes through the other connections where its own stalls', async () => {
    await using world = await serverWorld()
    const own = new pg.Client({ connectionString: world.proxy.url })
    own.on('error', () => {})
    await own.connect()
    const { onEvent, reached } = eventCounter()
    const lease = await world.locks(world.admin, { heartbeat: own, onEvent }).acquire('job')
    world.proxy.silence('all')
    await reached('renewed', 6)
    expect(lease.held).toBe(true)
    await world.proxy[Symbol.asyncDispose]()
  })

  test('of other leases is not held up by a locked row, whose own lease is in doubt and no more', async () => {
    await using world = await serverWorld()
    const { onEvent, reached, events } = eventCounter()
    const locks = world.locks(world.admin, { onEvent })
    const [a, b] = [await locks.acquire('a'), await locks.acquire('b')]
    const psql = await world.admin.connect()
    await psql.query('BEGIN')
    await psql.query(`SELECT FROM heartbeat_locks WHERE key = 'a' FOR UPDATE`)
    await expect(a.refresh()).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      message: expect.stringContaining('"a"'),
    })
    await reached('doubtful', 1)
    expect(events.find(({ type }) => type === 'doubtful')).toMatchObject({ key: 'a' })
    await b.refresh()
    await psql.query('COMMIT')
    psql.release()
    await a.refresh()
    expect([a.held, b.held]).toEqual([true, true])
  })

  test('of a lease whose row stays locked ends as unreachable, with the lock as the cause, and b lives on', async () => {
    await using world = await serverWorld()
    const locks = world.locks(world.admin)
    const [a, b] = [await locks.acquire('a'), await locks.acquire('b')]
    const psql = await world.admin.connect()
    await psql.query('BEGIN')
    await psql.query(`SELECT FROM heartbeat_locks WHERE key = 'a' FOR UPDATE`)
    await once(a.signal, 'abort')
    expect(a.signal.reason).toMatchObject({
      reason: 'unreachable',
      cause: { message: expect.stringContaining('locked') },
    })
    expect(b.held).toBe(true)
    await psql.query('COMMIT')
    psql.release()
  })

  test('tells 298 losses of 300 by one statement, however slow the way, and costs the other two nothing', async () => {
    await using world = await serverWorld()
    const pool = world.pool({ max: 20 })
    const sent: string[] = []
    const slow: Queryable = {
      async query(text, params) {
        sent.push(text)
        await sleep(10)
        return pool.query(text, params)
      },
    }
    const { onEvent, reached, events } = eventCounter()
    const locks = world.locks(slow, { ttlMs: 30_000, heartbeatMs: 2_000, onEvent })
    const leases = await Promise.all(Array.from({ length: 300 }, (_, n) => locks.acquire(`job ${n}`)))
    await world
      .locks(world.admin)
      .breakAll({ prefix: 'job' }, { force: true })
      .then(async () => {
        // Two that nobody broke.
        leases.push(await locks.acquire('a'), await locks.acquire('b'))
        sent.length = 0
      })
    await reached('lost', 300)
    expect(sent.every(isRenewal)).toBe(true)
    expect(sent.length).toBeLessThanOrEqual(3)
    expect(leases.slice(-2).map(({ held }) => held)).toEqual([true, true])
    const reasons = events.flatMap((event) => (event.type === 'lost' ? [event.error.reason] : []))
    expect(new Set(reasons)).toEqual(new Set(['broken']))
    expect(events.filter(({ type }) => type === 'doubtful')).toEqual([])
  })

  test('that the database denies loses the lease at once', async () => {
    await using world = await serverWorld()
    const lease = await world.locks(world.admin, { ttlMs: 60_000, heartbeatMs: 300 }).acquire('job')
    await world.admin.query('DELETE FROM heartbeat_locks')
    await once(lease.signal, 'abort')
    expect(lease.signal.reason).toMatchObject({ reason: 'deleted' })
  })
})

describe('a database that does not answer', () => {
  test('ends every call within the time of a statement', async () => {
    await using world = await serverWorld()
    const pool = world.pool({ through: 'proxy' })
    const locks = world.locks(pool, { timeoutMs: 300 })
    const lease = await locks.acquire('job')
    world.proxy.silence('all')
    const silent = { code: 'LOCK_FAILED', message: expect.stringContaining('has not answered within 300 ms') }
    await Promise.all([
      expect(locks.tryAcquire('other')).rejects.toMatchObject(silent),
      expect(locks.inspect('job')).rejects.toMatchObject(silent),
      expect(locks.list()).rejects.toMatchObject(silent),
      expect(locks.requestResign('job')).rejects.toMatchObject(silent),
      expect(lease.refresh()).rejects.toMatchObject(silent),
      expect(lease.update({})).rejects.toMatchObject(silent),
      expect(locks.acquire('other', { waitMs: 400 })).rejects.toMatchObject({
        code: 'LOCK_TIMEOUT',
        message: expect.stringContaining('has not answered'),
        cause: { code: 'LOCK_FAILED' },
      }),
    ])
    await expect(lease.release()).rejects.toMatchObject(silent)
    await expect(locks.close()).rejects.toMatchObject(silent)
    await world.proxy[Symbol.asyncDispose]()
    await expect(locks.close()).rejects.toMatchObject({ code: 'LOCK_FAILED' })
  })

  test('does not keep withLock from returning what the work has brought', async () => {
    await using world = await serverWorld()
    const locks = world.locks(world.pool({ through: 'proxy' }), { timeoutMs: 200 })
    const result = await locks.withLock('job', {}, async () => {
      world.proxy.silence('all')
      return 'done'
    })
    expect(result).toBe('done')
    await world.proxy[Symbol.asyncDispose]()
  })

  test('costs a lease its time and no more: it is given back when the database is there again', async () => {
    await using world = await serverWorld()
    const pool = world.pool({ through: 'proxy' })
    const locks = world.locks(pool, { timeoutMs: 300 })
    const [released, closed] = [await locks.acquire('released'), await locks.acquire('closed')]
    world.proxy.cut()
    await Promise.all([once(released.signal, 'abort'), once(closed.signal, 'abort')])
    expect(released.signal.reason).toMatchObject({ reason: 'unreachable' })
    await locks.close()
    // As long as they have: nobody else took them meanwhile, and the rows say that they are held.
    await world.admin.query(`UPDATE heartbeat_locks SET expires_at = clock_timestamp() + interval '1 hour'`)
    world.proxy.speak()
    expect(await released.release()).toBe(true)
    await locks.close()
    expect(await world.locks(world.admin).list()).toEqual([])
  })
})
