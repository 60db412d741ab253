import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { LeaseEvent, Queryable } from '../src/index.ts'
import { isRenewal, lockWorld, routes } from './world/lock-world.ts'
import { serverWorld } from './world/server-world.ts'

describe('a holder that listens', () => {
  test('hears at once that someone asks for its key', async () => {
    await using world = await serverWorld()
    const clients = await Promise.all(
      [1, 2].map(async () => {
        const client = new pg.Client({ connectionString: world.url })
        await client.connect()
        return client
      }),
    )
    const [here, there] = clients as [pg.Client, pg.Client]
    const slow = { ttlMs: 600_000, heartbeatMs: 60_000 }
    const attempt = await world.locks(world.admin, { ...slow, listen: here }).tryAcquire('job')
    if (!attempt.acquired) throw new Error('it is free')
    await expect.poll(async () => (await here.query('SELECT pg_listening_channels()')).rows.length).toBe(1)
    await world.locks(world.admin, { ...slow, listen: there }).requestResign('job')
    await once(attempt.lease.resignSignal, 'abort')
    await Promise.all(clients.map((client) => client.end()))
  })
})

describe('a client that renames columns', () => {
  test('is told of, and takes nothing for what it is not', async () => {
    await using world = await serverWorld()
    const camel = (name: string) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
    const renaming: Queryable = {
      async query(text, params) {
        const { rows } = await world.admin.query(text, params)
        return {
          rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), value]))),
        }
      },
    }
    await world.locks(world.admin).acquire('job')
    const refused = { code: 'LOCK_FAILED', message: expect.stringContaining('renames columns') }
    await expect(world.locks(renaming).inspect('job')).rejects.toMatchObject(refused)
    await expect(world.locks(renaming).list()).rejects.toMatchObject(refused)
  })
})

describe.each(routes)('onEvent on %s', (route) => {
  test('tells the life of a lease in its order, and the channel tidemark:lease tells the same', async () => {
    await using world = await lockWorld(route, { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 })
    const events: LeaseEvent[] = []
    const published: unknown[] = []
    const note = (event: unknown) => published.push(event)
    subscribe('tidemark:lease', note)
    let down = false
    const flaky: Queryable = {
      query: (text, params) =>
        down && isRenewal(text) ? Promise.reject(new Error('down')) : world.db.query(text, params),
    }
    const locks = world.another({ onEvent: (event) => events.push(event), holder: { label: 'me' } }, flaky)
    const first = await locks.acquire('job')
    await first.refresh()
    down = true
    await expect(first.refresh()).rejects.toThrow('down')
    const doubtful = events.at(-1)
    expect(doubtful).toMatchObject({
      type: 'doubtful',
      key: 'job',
      token: first.token,
      cause: { code: 'LOCK_FAILED' },
    })
    expect(doubtful?.type === 'doubtful' && doubtful.expiresInMs).toBeGreaterThan(0)
    down = false
    await first.refresh()
    await locks.tryAcquire('job')
    await world.another().break('job', { force: true })
    if (!first.signal.aborted) await first.refresh().catch(() => {})
    const second = await locks.acquire('job')
    await second.release()
    const other = await world.another().acquire('job')
    await locks.break('job', { force: true })
    // Beats between them are no matter.
    const kinds = events
      .map(({ type }) => type)
      .filter((type, n, all) => type !== 'renewed' || all[n - 1] !== 'renewed')
    expect(kinds).toEqual([
      'acquired',
      'renewed',
      'doubtful',
      'renewed',
      'contended',
      'lost',
      'acquired',
      'released',
      'broken',
    ])
    expect(events.find(({ type }) => type === 'contended')).toMatchObject({
      token: first.token,
      holder: { label: 'me' },
    })
    expect(events.find(({ type }) => type === 'lost')).toMatchObject({ error: { reason: 'broken' } })
    expect(events.find(({ type }) => type === 'broken')).toMatchObject({ token: other.token })
    unsubscribe('tidemark:lease', note)
    expect(published).toEqual(expect.arrayContaining(events))
  })

  test('tells of a wait once for each holder that is waited for', async () => {
    await using world = await lockWorld(route)
    const events: LeaseEvent[] = []
    const first = await world.locks.acquire('job')
    const waiting = world.another({ onEvent: (event) => events.push(event) }).acquire('job', { waitMs: 20_000 })
    await expect.poll(() => events.length).toBe(1)
    await first.release()
    await waiting
    expect(events.filter(({ type, token }) => type === 'contended' && token === first.token)).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'acquired', waitedMs: expect.any(Number) })
  })

  test('asks no holder to resign whose key another has by now, of whom it is asked', async () => {
    await using world = await lockWorld(route)
    const events: LeaseEvent[] = []
    const older = await world.another({ onEvent: (event) => events.push(event) }).acquire('job')
    await world.locks.break('job', { force: true })
    const newer = await world.locks.acquire('job')
    expect(await world.another().requestResign('job')).toBe(true)
    await expect(older.refresh()).rejects.toMatchObject({ reason: 'broken' })
    expect(events.map(({ type }) => type)).toEqual(['acquired', 'lost'])
    expect(older.resignSignal.aborted).toBe(false)
    await newer.refresh()
    expect(newer.resignSignal.aborted).toBe(true)
  })

  test('asks a holder to resign, who may follow, through its next heartbeat', async () => {
    await using world = await lockWorld(route, { ttlMs: 2_000, heartbeatMs: 200, marginMs: 200 })
    const events: LeaseEvent[] = []
    const lease = await world.another({ onEvent: (event) => events.push(event) }).acquire('job')
    expect(await world.locks.requestResign('nobody')).toBe(false)
    expect(await world.locks.requestResign('job', { token: lease.token + 1n })).toBe(false)
    expect(await world.locks.requestResign('job')).toBe(true)
    expect(await world.locks.inspect('job')).toMatchObject({ resignRequested: true })
    await once(lease.resignSignal, 'abort')
    expect(lease.held).toBe(true)
    expect(events.filter(({ type }) => type === 'resign_requested')).toEqual([
      { type: 'resign_requested', key: 'job', token: lease.token },
    ])
    await lease.release()
    const next = await world.locks.acquire('job')
    await next.refresh()
    expect(next.resignSignal.aborted).toBe(false)
  })
})
