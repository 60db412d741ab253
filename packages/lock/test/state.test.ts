import postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'
import { queryable } from './recipes/postgres-js.ts'
import { lockWorld, routes } from './world/lock-world.ts'
import { serverWorld } from './world/server-world.ts'

describe.each(routes)('info on %s', (route) => {
  test('comes back as it was noted, is told to whoever is refused, and may change while the lease is held', async () => {
    await using world = await lockWorld(route, { holder: { host: 'here', pid: 7, label: 'nightly' } })
    const info = { step: 1, of: ['a', null, '\\u0000 is no NUL', '😀'] }
    const lease = await world.locks.acquire('job', { info })
    expect(await world.another().tryAcquire('job')).toMatchObject({
      acquired: false,
      info,
      holder: { label: 'nightly' },
    })
    await lease.update({ step: 2 })
    expect(await world.locks.inspect('job')).toMatchObject({
      info: { step: 2 },
      holder: { label: 'nightly' },
    })
    await lease.refresh()
    expect(await world.locks.inspect('job')).toMatchObject({ info: { step: 2 } })
    await lease.update(undefined)
    expect(await world.locks.inspect('job')).toMatchObject({ info: null })
    await lease.release()
    await expect(lease.update({ step: 3 })).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
    await (await world.locks.acquire('job')).release()
    expect(await world.locks.inspect('job')).toMatchObject({ info: null, holder: null })
  })

  test('that JSON or a row cannot hold is refused before anything is sent', async () => {
    await using world = await lockWorld(route)
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const lease = await world.locks.acquire('held')
    for (const info of [1n, cycle, () => {}, Symbol('s'), 'a\0b', { text: '\ud800' }]) {
      const refused = { code: 'LOCK_BAD_OPTIONS', message: expect.stringContaining('info') }
      await expect(world.locks.tryAcquire('job', { info })).rejects.toMatchObject(refused)
      await expect(world.locks.acquire('job', { info })).rejects.toMatchObject(refused)
      await expect(lease.update(info)).rejects.toMatchObject(refused)
    }
    expect(await world.locks.inspect('job')).toBeNull()
  })
})

describe.each(routes)('on %s JSON holds', (route) => {
  test('whatever tells of a lease, its token as text', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job', { info: { n: 1 } })
    const token = String(lease.token)
    const parsed = (value: unknown) => JSON.parse(JSON.stringify(value))
    expect(parsed(lease)).toMatchObject({ key: 'job', token, held: true })
    expect(parsed(await world.locks.inspect('job'))).toMatchObject({ key: 'job', token, info: { n: 1 } })
    expect(parsed(await world.locks.list())).toMatchObject([{ key: 'job', token }])
    expect(parsed(await world.another().tryAcquire('job'))).toMatchObject({ acquired: false, token })
    expect(parsed(await world.another().break('job', { force: true }))).toMatchObject({
      verdict: 'broken',
      token,
    })
    await lease.refresh().catch(() => {})
    expect(parsed(lease.signal.reason)).toMatchObject({
      name: 'LeaseLostError',
      code: 'LEASE_LOST',
      reason: 'broken',
      token,
      message: expect.stringContaining('"job"'),
    })
    expect(parsed(await world.locks.tryAcquire('other'))).toMatchObject({
      acquired: true,
      lease: { key: 'other' },
    })
  })
})

describe('info through postgres.js', () => {
  test('is an object in the database too', async () => {
    await using world = await serverWorld()
    const sql = postgres(world.url, { onnotice: () => {} })
    const lease = await world.locks(queryable(sql)).acquire('job', { info: { step: 1 } })
    expect((await world.admin.query(`SELECT jsonb_typeof(info) AS type FROM heartbeat_locks`)).rows).toEqual([
      { type: 'object' },
    ])
    await lease.update({ step: 2 })
    expect((await world.admin.query(`SELECT info->>'step' AS step FROM heartbeat_locks`)).rows).toEqual([{ step: '2' }])
    await lease.release()
    await sql.end()
  })
})

describe('a session', () => {
  test.each(['German', 'SQL, DMY', 'Postgres', 'ISO'])('with the dates of %s is told the same', async (style) => {
    await using world = await serverWorld([
      `datestyle TO ${style}`,
      "intervalstyle TO 'sql_standard'",
      "timezone TO 'Asia/Kathmandu'",
    ])
    const locks = world.locks(world.pool())
    const lease = await locks.acquire('job')
    const refused = await world.locks(world.pool()).tryAcquire('job')
    expect(refused).toMatchObject({ acquired: false, token: lease.token, holder: { pid: process.pid } })
    const state = await locks.inspect('job')
    expect(state!.holder).toMatchObject({ pid: process.pid })
    expect(state!.expiresInMs).toBeGreaterThan(0)
    expect(state!.expiresInMs).toBeLessThanOrEqual(2_000)
    expect(Math.abs(state!.acquiredAt.getTime() - Date.now())).toBeLessThan(30_000)
  })
})

describe.each(routes)('on %s a lease without an end', (route) => {
  test('is held by whoever has it, and broken by force alone', async () => {
    await using world = await lockWorld(route)
    await world.locks.acquire('job')
    await world.db.query(`UPDATE ${world.table} SET expires_at = 'infinity'`)
    const forever = { holder: { pid: process.pid }, expiresInMs: Number.POSITIVE_INFINITY }
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false, ...forever })
    expect(await world.locks.inspect('job')).toMatchObject(forever)
    await expect(world.another().acquire('job', { waitMs: 50 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    })
    expect(await world.another().break('job')).toMatchObject({ verdict: 'refused' })
    expect(await world.another().break('job', { force: true })).toMatchObject({ verdict: 'broken' })
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })
})

describe.each(routes)('after the clock of the database on %s was set back by an hour', (route) => {
  /** The row as it is when the clock is an hour behind the last sign of life. */
  const setBack = `acquired_at = acquired_at + interval '1 hour', last_refreshed_at = last_refreshed_at + interval '1 hour',
    expires_at = expires_at + interval '1 hour', token = token + 3600000000`

  test('a dead holder’s key is free a TTL after the first look', async () => {
    await using world = await lockWorld(route, { ttlMs: 700, heartbeatMs: 100, marginMs: 100 })
    const dead = createLocks(
      { query: (text, params) => world.db.query(text, params) },
      { table: world.table, ttlMs: 700, heartbeatMs: 100, marginMs: 100 },
    )
    await dead.acquire('job')
    await world.db.query(`UPDATE ${world.table} SET holder_id = 'dead', ${setBack}`)
    await world.db.query(`UPDATE ${world.table} SET token = token + 1`)
    const lease = await world.another().acquire('job', { waitMs: 20_000 })
    expect(lease.held).toBe(true)
  })

  test('break by age works a while after the first look, and tokens go on rising', async () => {
    await using world = await lockWorld(route, { ttlMs: 60_000, heartbeatMs: 10_000 })
    const dead = await world.locks.acquire('job')
    await world.db.query(`UPDATE ${world.table} SET ${setBack}`)
    expect(await world.another().break('job', { maxAgeMs: 40_000 })).toMatchObject({ verdict: 'refused' })
    await world.db.query(`UPDATE ${world.table} SET last_refreshed_at = last_refreshed_at - interval '41 seconds'`)
    expect(await world.another().break('job', { maxAgeMs: 40_000 })).toMatchObject({ verdict: 'broken' })
    const next = await world.another().acquire('job')
    expect(next.token).toBeGreaterThan(dead.token + 3_600_000_000n)
  })

  test('a live holder goes on', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job')
    await world.db.query(
      `UPDATE ${world.table} SET last_refreshed_at = last_refreshed_at + interval '1 hour', expires_at = expires_at + interval '1 hour'`,
    )
    const refused = await world.another().tryAcquire('job')
    expect(refused).toMatchObject({ acquired: false, sinceRefreshMs: 0 })
    await lease.refresh()
    expect(lease.held).toBe(true)
    const state = await world.locks.inspect('job')
    expect(state!.expiresInMs).toBeLessThanOrEqual(90_000)
  })
})

describe.each(routes)('prune on %s', (route) => {
  test('deletes the rows of keys that have been free for that long, and no others', async () => {
    await using world = await lockWorld(route)
    await Promise.all(Array.from({ length: 50 }, async (_, n) => (await world.locks.acquire(`once ${n}`)).release()))
    const held = await world.locks.acquire('held')
    const kept = await world.locks.acquire('kept', { atLeastMs: 60_000 })
    await kept.release()
    expect(await world.locks.prune({ olderThanMs: 60_000 })).toBe(0)
    await world.db.query(
      `UPDATE ${world.table} SET expires_at = expires_at - interval '1 minute' WHERE key <> 'held' AND key <> 'kept'`,
    )
    // Its token is ahead of the clock: the next one would be lower.
    await world.db.query(`UPDATE ${world.table} SET token = token + 3600000000 WHERE key = 'once 0'`)
    expect(await world.locks.prune({ olderThanMs: 60_000 })).toBe(49)
    const { rows } = await world.db.query(`SELECT key FROM ${world.table} ORDER BY key`)
    expect(rows.map(({ key }) => key)).toEqual(['held', 'kept', 'once 0'])
    await held.refresh()
    const before = BigInt((await world.row('once 0')).token)
    expect((await world.locks.acquire('once 0')).token).toBeGreaterThan(before)
    for (const ms of [-1, Number.NaN, 1e18, Number.POSITIVE_INFINITY]) {
      const refused = { code: 'LOCK_BAD_OPTIONS' }
      await expect(world.locks.prune({ olderThanMs: ms })).rejects.toMatchObject(refused)
      await expect(world.locks.break('job', { maxAgeMs: ms })).rejects.toMatchObject(refused)
      await expect(world.locks.tryAcquire('job', { atLeastMs: ms })).rejects.toMatchObject(refused)
      await expect(world.locks.tryAcquire('job', { ttlMs: ms })).rejects.toMatchObject(refused)
    }
    await expect(world.locks.prune({} as never)).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
  })
})
