import { startPostgresServer } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks, type Queryable } from '../src/index.ts'
import { lockWorld, routes } from './world/lock-world.ts'
import { serverWorld } from './world/server-world.ts'

/** A database that fails at first, with that error. */
const failing = (db: Queryable, times: number, error: () => Error): Queryable => ({
  async query(text, params) {
    if (times-- > 0) throw error()
    return db.query(text, params)
  },
})
const coded = (code: string, message = code) => Object.assign(new Error(message), { code })

/** What drivers and systems say of a connection that brought no answer. */
const TRANSIENT: [string, () => Error][] = [
  ['a connection that was refused', () => coded('ECONNREFUSED')],
  ['one that was reset', () => coded('ECONNRESET')],
  ['a broken pipe', () => coded('EPIPE')],
  ['a time-out of the system', () => coded('ETIMEDOUT')],
  ['a host that cannot be reached', () => coded('EHOSTUNREACH')],
  ['a net that cannot be reached', () => coded('ENETUNREACH')],
  ['names that cannot be looked up now', () => coded('EAI_AGAIN')],
  ['a time-out of pg', () => new Error('Query read timeout')],
  ['a pool of pg without a free connection', () => new Error('timeout exceeded when trying to connect')],
  ['a connection that pg lost', () => new Error('Connection terminated unexpectedly')],
  ['one that postgres.js lost', () => coded('CONNECTION_CLOSED')],
  ['one that postgres.js could not make', () => coded('CONNECT_TIMEOUT')],
  ['a fetch that failed', () => new TypeError('fetch failed', { cause: coded('ECONNRESET') })],
  ['a server that is shutting down', () => coded('57P01')],
  ['one that is starting', () => coded('57P03')],
  ['one without a free connection', () => coded('53300')],
  ['a statement that was cancelled', () => coded('57014')],
  ['a read-only standby', () => coded('25006')],
  ['a standby behind a query builder', () => new Error('Failed query', { cause: coded('25006') })],
]

/** What no waiting will change. */
const FINAL: [string, () => Error][] = [
  ['a wrong password', () => coded('28P01')],
  ['a missing database', () => coded('3D000')],
  ['a pool that was ended', () => new Error('Cannot use a pool after calling end on the pool')],
  ['a client that was ended', () => new Error('Client was closed and is not queryable')],
  ['postgres.js that was ended', () => coded('CONNECTION_ENDED')],
  ['PGlite that was closed', () => new Error('PGlite is closed')],
  ['a mistake of a program', () => new TypeError('db.query is not a function')],
  ['a missing right', () => coded('42501')],
]

describe('tryAcquire', () => {
  test.each(TRANSIENT)('goes on after %s, and finds what it has taken', async (_, error) => {
    await using world = await lockWorld('pglite')
    let lost = 1
    // The statement is done, and its reply does not come.
    const lossy: Queryable = {
      async query(text, params) {
        const result = await world.db.query(text, params)
        if (lost-- > 0) throw error()
        return result
      },
    }
    const attempt = await world.another({}, lossy).tryAcquire('job')
    expect(attempt).toMatchObject({ acquired: true })
    expect(BigInt((await world.row('job')).token)).toBe(attempt.acquired && attempt.lease.token)
  })

  test.each(FINAL)('tells at once of %s', async (_, error) => {
    await using world = await lockWorld('pglite')
    let tries = 0
    const broken: Queryable = {
      async query() {
        tries++
        throw error()
      },
    }
    await expect(world.another({}, broken).tryAcquire('job')).rejects.toMatchObject({
      cause: { message: error().message },
    })
    await expect(world.another({}, broken).acquire('job')).rejects.toMatchObject({
      cause: { message: error().message },
    })
    expect(tries).toBe(2)
  })
})

describe('acquire', () => {
  test.each(TRANSIENT)('rides out %s', async (_, error) => {
    await using world = await lockWorld('pglite')
    const lease = await world.another({}, failing(world.db, 2, error)).acquire('job', { waitMs: 20_000 })
    expect(lease.held).toBe(true)
  })
})

describe.each(routes)('acquire on %s', (route) => {
  test('tells of the holder and of the last fault when its time is over', async () => {
    await using world = await lockWorld(route, { holder: { host: 'here', pid: 7, label: 'nightly' } })
    await world.locks.acquire('job')
    let tries = 0
    const dying: Queryable = {
      query: (text, params) =>
        tries++ === 0 ? world.db.query(text, params) : Promise.reject(coded('ECONNREFUSED', 'connect ECONNREFUSED')),
    }
    await expect(world.another({}, dying).acquire('job', { waitMs: 500 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: expect.stringMatching(/here, process 7 \(nightly\).*ECONNREFUSED/),
      cause: { code: 'LOCK_FAILED', cause: { code: 'ECONNREFUSED' } },
    })
  })

  test('without an end rides a fault out for as long as a lease lasts', async () => {
    await using world = await lockWorld(route, { ttlMs: 300, heartbeatMs: 50, marginMs: 100 })
    const dead: Queryable = { query: () => Promise.reject(coded('ECONNREFUSED')) }
    await expect(world.another({}, dead).acquire('job')).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    })
    await expect(world.another({}, dead).acquire('job', { waitMs: Infinity })).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('ends when the locks are closed, and by nothing else where it may wait for ever', async () => {
    await using world = await lockWorld(route)
    await world.locks.acquire('job')
    const waiters = world.another()
    const waiting = expect(waiters.acquire('job', { waitMs: Infinity })).rejects.toMatchObject({
      code: 'LOCK_CLOSED',
    })
    await waiters.close()
    await waiting
    await expect(waiters.tryAcquire('job')).rejects.toMatchObject({ code: 'LOCK_CLOSED' })
  })
})

describe('a waiter', () => {
  test('gets the key through a restart of the server', async () => {
    const server = await startPostgresServer()
    const pool = new pg.Pool({ connectionString: server.url })
    pool.on('error', () => {})
    const [holder, waiter] = [createLocks(pool), createLocks(pool)]
    await holder.migrate()
    const lease = await holder.acquire('job')
    const waiting = waiter.acquire('job', { waitMs: 30_000 })
    await server.restart()
    await lease.release().catch(() => lease.release())
    expect((await waiting).token).toBeGreaterThan(lease.token)
    await waiter.close()
    await pool.end()
    await server.stop()
  })

  test('waits no longer for a connection than for the key', async () => {
    await using world = await serverWorld()
    const full = world.pool({ max: 1 })
    const only = await full.connect()
    // Nothing else ends the try within the time of this test.
    const locks = world.locks(full, { ttlMs: 600_000, heartbeatMs: 60_000, timeoutMs: 500_000 })
    await expect(locks.acquire('job', { waitMs: 100 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' })
    only.release()
    // What was still on its way then is given back.
    await expect.poll(async () => (await locks.list()).length).toBe(0)
    expect(await world.locks(world.admin).tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test('is woken by a release, a break and an expiry where it can listen', async () => {
    await using world = await serverWorld()
    const client = async () => {
      const listen = new pg.Client({ connectionString: world.url })
      await listen.connect()
      return listen
    }
    const [here, there] = [await client(), await client()]
    const queries: number[] = []
    const counted: Queryable = {
      query(text, params) {
        queries.push(performance.now())
        return world.admin.query(text, params)
      },
    }
    const holder = world.locks(world.admin, { listen: here })
    const waiter = world.locks(counted, { listen: there })
    for (const end of ['release', 'break'] as const) {
      const lease = await holder.acquire('job', { waitMs: 10_000 })
      const waiting = waiter.acquire('job', { waitMs: 10_000 })
      await expect.poll(async () => (await there.query('SELECT pg_listening_channels()')).rows.length).toBe(1)
      if (end === 'release') await lease.release()
      else await holder.break('job', { force: true })
      await (await waiting).release()
    }
    // One when it was refused, one when it began to listen, one when it was told; the second time it listened already.
    expect(queries.length).toBeLessThanOrEqual(10)
    await holder.close()
    await waiter.close()
    expect((await there.query('SELECT pg_listening_channels()')).rows).toEqual([])
    await Promise.all([here.end(), there.end()])
  })

  test('that cannot listen asks as if it had not been told to', async () => {
    await using world = await serverWorld()
    const unconnected = new pg.Client({ connectionString: world.url })
    const refusing = { listen: () => Promise.reject(new Error('no LISTEN through a pooler')) }
    for (const listen of [unconnected, refusing]) {
      const locks = world.locks(world.admin, { listen })
      const lease = await locks.acquire('job')
      const waiting = locks.acquire('job', { waitMs: 10_000 })
      await lease.release()
      await (await waiting).release()
    }
  })
})
