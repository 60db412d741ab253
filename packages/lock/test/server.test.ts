import { freshDatabase, startPostgresServer } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'
import { isRenewal, lockWorld, serverRoutes } from './world/lock-world.ts'

/** A pool with settings of its own on a database of its own. */
async function poolWith(settings: string[], max = 5) {
  const database = await freshDatabase('postgres')
  const admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
  for (const setting of settings)
    await admin.query(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET ${setting}`)
  const pool = new pg.Pool({ connectionString: database.url, max })
  pool.on('error', () => {})
  const close = async () => {
    await pool.end()
    await admin.end()
    await database.drop()
  }
  return { pool, admin, url: database.url, [Symbol.asyncDispose]: close }
}

describe('a lock', () => {
  test('works under serializable isolation, where every race is a 40001', async () => {
    await using world = await poolWith(["default_transaction_isolation TO 'serializable'"], 10)
    const locks = createLocks(world.pool)
    await locks.migrate()
    for (let round = 0; round < 20; round++) {
      const attempts = await Promise.all(Array.from({ length: 8 }, () => locks.tryAcquire('job')))
      const taken = attempts.flatMap((attempt) => (attempt.acquired ? [attempt.lease] : []))
      expect(taken).toHaveLength(1)
      await Promise.all([taken[0]!.refresh(), locks.break('job', { maxAgeMs: 60_000 })])
      expect(await taken[0]!.release()).toBe(true)
    }
    await locks.close()
  })

  test('works in a session of another time zone', async () => {
    await using world = await poolWith(["timezone TO 'Pacific/Kiritimati'"])
    const locks = createLocks(world.pool, { ttlMs: 60_000, heartbeatMs: 10_000 })
    await locks.migrate()
    const lease = await locks.acquire('job')
    const state = await locks.inspect('job')
    expect(state!.expiresInMs).toBeGreaterThan(50_000)
    expect(state!.expiresInMs).toBeLessThanOrEqual(60_000)
    expect(Math.abs(state!.acquiredAt.getTime() - Date.now())).toBeLessThan(30_000)
    await lease.release()
    await locks.close()
  })

  test('needs one connection, and waits while it is in use', async () => {
    await using world = await poolWith([], 1)
    const locks = createLocks(world.pool)
    await locks.migrate()
    const lease = await locks.acquire('job')
    const only = await world.pool.connect()
    const refreshing = lease.refresh()
    await only.query('BEGIN')
    await lease.fence(only)
    await only.query('COMMIT')
    only.release()
    await refreshing
    expect(await lease.release()).toBe(true)
    await locks.close()
  })

  test('in a read-only database is refused with the reason, and a held lease that it befalls ends as unreachable', async () => {
    await using world = await poolWith([])
    // Time for some heartbeats to be refused, also where a connection takes long to be made.
    const locks = createLocks(world.pool, { ttlMs: 2_500, heartbeatMs: 250, marginMs: 100 })
    await locks.migrate()
    const lease = await locks.acquire('job')
    const lost = new Promise((resolve) => lease.signal.addEventListener('abort', resolve))
    const name = new URL(world.url).pathname.slice(1)
    await world.admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only TO on`)
    await world.admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
    await lost
    expect(lease.signal.reason).toMatchObject({ reason: 'unreachable', cause: { code: 'LOCK_FAILED' } })
    await expect(locks.tryAcquire('other')).rejects.toMatchObject({
      code: 'LOCK_FAILED',
      cause: { code: '25006' },
    })
    await locks.close()
  })

  test('survives a restart of the database within its time, and is taken by no one meanwhile', async () => {
    const server = await startPostgresServer()
    const pool = new pg.Pool({ connectionString: server.url })
    pool.on('error', () => {})
    const locks = createLocks(pool)
    await locks.migrate()
    const lease = await locks.acquire('job')
    await server.restart()
    // A connection that the restart cut may still be handed out once.
    await lease.refresh().catch(() => lease.refresh())
    expect(lease.held).toBe(true)
    expect(await createLocks(pool).tryAcquire('job')).toMatchObject({ acquired: false, token: lease.token })
    await locks.close()
    await pool.end()
    await server.stop()
  })

  test('is migrated by whoever may, and then used by a role that may not create anything', async () => {
    await using world = await poolWith([])
    const role = `r_${Math.random().toString(36).slice(2)}`
    await world.admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`)
    const url = new URL(world.url)
    url.username = role
    url.password = 'x'
    const pool = new pg.Pool({ connectionString: url.href })
    const locks = createLocks(pool, { table: 'mine.locks' })
    await expect(locks.migrate()).rejects.toMatchObject({
      code: 'LOCK_FORBIDDEN',
      message: expect.stringMatching(/may not create "mine"\."locks".*permission denied.*migrationSql\(\)/s),
    })
    await world.admin.query(locks.migrationSql())
    await world.admin.query(
      `GRANT USAGE ON SCHEMA mine TO ${role}; GRANT SELECT, INSERT, UPDATE ON mine.locks TO ${role}`,
    )
    await locks.migrate()
    const lease = await locks.acquire('job')
    await lease.refresh()
    expect(await lease.release()).toBe(true)
    await locks.close()
    await pool.end()
    await world.admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  test('that another is migrating is waited for no longer than the signal lets it', async () => {
    await using world = await poolWith([])
    const blocker = await world.pool.connect()
    await blocker.query('BEGIN')
    await blocker.query(`SELECT pg_advisory_xact_lock(hashtextextended('@tidemark/lock "heartbeat_locks"', 0))`)
    const locks = createLocks(world.pool)
    const stop = new AbortController()
    const migrating = expect(locks.migrate({ signal: stop.signal })).rejects.toThrow('enough')
    stop.abort(new Error('enough'))
    await migrating
    await blocker.query('COMMIT')
    blocker.release()
  })

  test('that was being migrated when the connection was cut is migrated by the next', async () => {
    await using world = await poolWith([])
    const locks = createLocks(world.pool)
    const blocker = await world.pool.connect()
    await blocker.query('BEGIN')
    await blocker.query(`SELECT pg_advisory_xact_lock(hashtextextended('@tidemark/lock "heartbeat_locks"', 0))`)
    const failing = expect(locks.migrate()).rejects.toMatchObject({ code: 'LOCK_FAILED' })
    const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    await expect.poll(async () => (await world.admin.query(waiting)).rows.length).toBe(1)
    await world.admin.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) AS migrating`)
    await failing
    await blocker.query('COMMIT')
    blocker.release()
    await locks.migrate()
    expect(await locks.tryAcquire('job')).toMatchObject({ acquired: true })
    await locks.close()
  })

  test('taken in a transaction of the user is the user’s when that commits, and gone when it does not', async () => {
    await using world = await poolWith([])
    await createLocks(world.pool).migrate()
    const client = await world.pool.connect()
    const locks = createLocks(client)
    await client.query('BEGIN')
    const committed = await locks.acquire('job')
    await committed.refresh()
    await client.query('COMMIT')
    expect(await createLocks(world.pool).tryAcquire('job')).toMatchObject({
      acquired: false,
      token: committed.token,
    })
    await committed.refresh()
    await committed.release()
    await client.query('BEGIN')
    const undone = await locks.acquire('other')
    await client.query('ROLLBACK')
    await expect(undone.refresh()).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'deleted' })
    client.release()
    await locks.close()
  })
})

describe.each(serverRoutes)('on %s a lease', (route) => {
  test('outlives its connections when they are cut by pg_terminate_backend', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job')
    for (let round = 0; round < 3; round++) {
      await world.db.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      await expect
        .poll(() =>
          lease.refresh().then(
            () => 'refreshed',
            () => 'cut',
          ),
        )
        .toBe('refreshed')
      expect(lease.held).toBe(true)
    }
    expect(await lease.release()).toBe(true)
  })

  test('of a process with hundreds of them is renewed by one statement', async () => {
    await using world = await lockWorld(route, { ttlMs: 30_000, heartbeatMs: 200 })
    const renewals: number[] = []
    const renewed = Promise.withResolvers<void>()
    const counted = {
      async query(text: string, params: unknown[] = []) {
        const result = await world.db.query(text, params)
        if (isRenewal(text)) {
          renewals.push(result.rows.length)
          if (result.rows.length === 400) renewed.resolve()
        }
        return result
      },
    }
    const locks = world.another({}, counted)
    const leases = await Promise.all(Array.from({ length: 400 }, (_, i) => locks.acquire(`job ${i}`)))
    await renewed.promise
    expect(Math.max(...renewals)).toBe(400)
    expect(leases.every(({ held }) => held)).toBe(true)
  })
})
