import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'
import { lockWorld, routes, sharedDatabase } from './world/lock-world.ts'

describe.each(routes)('migrate on %s', (route) => {
  test('can run many times at once, also into a schema that is not there and under a name in quotes', async () => {
    const { db } = await sharedDatabase(route)
    const options = { table: 'somewhere."My ""Locks"""' }
    await Promise.all(Array.from({ length: 10 }, () => createLocks(db, options).migrate()))
    await using locks = createLocks(db, options)
    await using lease = await locks.acquire('job')
    expect(lease.token).toBeGreaterThan(0n)
  })

  test('works under names that could end what quotes its functions', async () => {
    const { db } = await sharedDatabase(route)
    await using locks = createLocks(db, {
      table: '"$migrate0$"',
      columns: { key: '$heartbeat0$', holderHost: '$body1$', expiresAt: "it's %1$s" },
    })
    await locks.migrate()
    await using lease = await locks.acquire('job')
    expect(await locks.inspect('job')).toMatchObject({ token: lease.token, holder: { pid: process.pid } })
  })

  test('takes over a table of a program that knows only of expiry, which goes on working beside ours', async () => {
    const { db } = await sharedDatabase(route)
    await db.query('DROP TABLE IF EXISTS cycle_locks')
    await db.query(
      'CREATE TABLE cycle_locks (id text PRIMARY KEY, holder_pid int, holder_host text, acquired_at timestamptz, ttl_expires_at timestamptz)',
    )
    const old = {
      acquire: async (pid: number) =>
        (
          await db.query(
            `INSERT INTO cycle_locks VALUES ('job', $1, 'old', now(), now() + interval '30 minutes')
             ON CONFLICT (id) DO UPDATE SET holder_pid = $1, holder_host = 'old', acquired_at = now(), ttl_expires_at = now() + interval '30 minutes'
             WHERE cycle_locks.ttl_expires_at < now() RETURNING id`,
            [pid],
          )
        ).rows.length > 0,
      release: () => db.query(`DELETE FROM cycle_locks WHERE id = 'job'`),
    }
    expect(await old.acquire(1)).toBe(true)
    await using locks = createLocks(db, {
      table: 'cycle_locks',
      columns: {
        key: 'id',
        holderPid: 'holder_pid',
        holderHost: 'holder_host',
        acquiredAt: 'acquired_at',
        expiresAt: 'ttl_expires_at',
      },
    })
    await locks.migrate()
    expect(await locks.tryAcquire('job')).toMatchObject({ acquired: false, holder: { host: 'old', pid: 1 } })
    await old.release()
    const tokens: bigint[] = []
    for (let round = 0; round < 3; round++) {
      const lease = await locks.acquire('job', { waitMs: 0 })
      tokens.push(lease.token)
      expect(await old.acquire(2)).toBe(false)
      await lease.release()
      expect(await old.acquire(3)).toBe(true)
      const held = await locks.inspect('job')
      expect(held).toMatchObject({ holder: { host: 'old', pid: 3 } })
      tokens.push(held!.token)
      expect(await locks.break('job', { maxAgeMs: 1000 })).toMatchObject({ verdict: 'refused' })
      await old.release()
    }
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => Number(a - b)))
  })

  test('lets an old program’s extension of its expiry count as a heartbeat at once', async () => {
    await using world = await lockWorld(route)
    const old = (sql: string) => world.db.query(sql.replace('locks', world.table))
    await old(
      `INSERT INTO locks (key, holder_pid, holder_host, acquired_at, expires_at) VALUES ('job', 1, 'old', now(), now() + interval '1 hour')`,
    )
    await old(`UPDATE locks SET last_refreshed_at = now() - interval '50 minutes'`)
    await old(`UPDATE locks SET expires_at = now() + interval '2 hours' WHERE key = 'job'`)
    expect(await world.locks.break('job', { maxAgeMs: 60_000 })).toMatchObject({ verdict: 'refused' })
    await old(`UPDATE locks SET last_refreshed_at = now() - interval '50 minutes'`)
    expect(await world.locks.break('job', { maxAgeMs: 60_000 })).toMatchObject({
      verdict: 'broken',
      holder: { host: 'old' },
    })
  })

  test('of nothing new is one statement', async () => {
    await using world = await lockWorld(route)
    let statements = 0
    const counted = {
      query(text: string, params?: unknown[]) {
        statements++
        return world.db.query(text, params)
      },
    }
    await world.another({}, counted).migrate()
    expect(statements).toBe(1)
  })
})

describe('createLocks refuses', () => {
  const db = { query: async () => ({ rows: [] }) }
  test.each([
    ['a heartbeat too slow for its TTL', { ttlMs: 30_000, heartbeatMs: 15_000 }],
    ['a broken number', { ttlMs: 1.5 }],
    ['a table that is not a name', { table: 'a; DROP TABLE b' }],
    ['a table whose name would be cut', { table: 'x'.repeat(64) }],
    ['an unknown column', { columns: { id: 'id' } as object }],
  ])('%s', (_, options) => {
    expect(() => createLocks(db, options)).toThrow(expect.objectContaining({ code: 'LOCK_BAD_OPTIONS' }))
  })
  test('what has no query', () => {
    expect(() => createLocks({} as never)).toThrow(expect.objectContaining({ code: 'LOCK_BAD_OPTIONS' }))
  })
})
