import { freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'
import { lockWorld, routes } from './world/lock-world.ts'
import { serverWorld, waitingFor } from './world/server-world.ts'

describe.each(routes)('a fence on %s', (route) => {
  test('lets the holder write and no one whose token is stale', async () => {
    await using world = await lockWorld(route)
    const stale = await world.locks.acquire('job')
    const fence = stale.fenceSql(2)
    const write = async () =>
      (
        await world.db.query(`WITH fence AS MATERIALIZED (${fence.text}) SELECT $1::text AS written FROM fence`, [
          'x',
          ...fence.params,
        ])
      ).rows
    expect(await write()).toEqual([{ written: 'x' }])
    await world.another().break('job', { force: true })
    expect(await write()).toEqual([])
    await expect(stale.fence(world.db)).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'broken' })
  })

  test('of a released lease no longer holds', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job')
    const { text, params } = lease.fenceSql(1)
    await lease.release()
    expect((await world.db.query(text, params)).rows).toEqual([])
  })
})

describe('a fence', () => {
  test('outside of a transaction is refused: on a pool, and on a connection that has begun none', async () => {
    await using world = await serverWorld()
    const pool = world.pool()
    const lease = await world.locks(pool).acquire('job')
    const refused = { code: 'LOCK_NO_TRANSACTION', message: expect.stringContaining('after BEGIN') }
    await expect(lease.fence(pool)).rejects.toMatchObject(refused)
    const client = await pool.connect()
    await expect(lease.fence(client)).rejects.toMatchObject(refused)
    // Written or not before, in a savepoint or not.
    for (const before of ['SELECT', 'CREATE TEMP TABLE IF NOT EXISTS t ()', 'SAVEPOINT s']) {
      await client.query('BEGIN')
      await client.query(before)
      await lease.fence(client)
      await lease.fence(client)
      await client.query('COMMIT')
    }
    await expect(lease.fence(client)).rejects.toMatchObject(refused)
    client.release()
    expect(lease.held).toBe(true)
  })

  test('waits for a take-over that is being committed, and then does not hold', async () => {
    await using world = await serverWorld()
    const stale = await world.locks(world.admin).acquire('job')
    await world.admin.query(
      `UPDATE heartbeat_locks SET last_refreshed_at = now() - interval '1 hour', expires_at = now() - interval '1 minute'`,
    )
    const taker = await world.admin.connect()
    await taker.query('BEGIN')
    const taken = await world.locks(taker).tryAcquire('job')
    expect(taken).toMatchObject({ acquired: true })
    const { text, params } = stale.fenceSql(1)
    const fencing = world.admin.query(
      `WITH fence AS MATERIALIZED (${text}) SELECT 'written' AS line FROM fence`,
      params,
    )
    await expect.poll(() => waitingFor(world.admin)).toBe(1)
    await taker.query('COMMIT')
    taker.release()
    expect((await fencing).rows).toEqual([])
  })

  test('of a program that knows only of expiry is none, but its take-over waits for ours', async () => {
    await using world = await serverWorld()
    const lease = await world.locks(world.admin).acquire('job')
    const tx = await world.admin.connect()
    await tx.query('BEGIN')
    await lease.fence(tx)
    await world.admin.query(
      `UPDATE heartbeat_locks SET last_refreshed_at = now() - interval '1 hour', expires_at = now() - interval '1 minute'`,
    )
    const order: string[] = []
    const taking = world.admin
      .query(
        `INSERT INTO heartbeat_locks (key, holder_pid, holder_host, acquired_at, expires_at) VALUES ('job', 1, 'old', now(), now() + interval '1 hour')
         ON CONFLICT (key) DO UPDATE SET holder_pid = 1, holder_host = 'old', acquired_at = now(), expires_at = now() + interval '1 hour'
         WHERE heartbeat_locks.expires_at < now()`,
      )
      .then(() => order.push('taken'))
    await expect.poll(() => waitingFor(world.admin)).toBe(1)
    order.push('commit')
    await tx.query('COMMIT')
    tx.release()
    await taking
    expect(order).toEqual(['commit', 'taken'])
  })
})

test('a take-over waits for a fenced transaction, and a heartbeat does not', async () => {
  const database = await freshDatabase('postgres')
  const pool = new pg.Pool({ connectionString: database.url })
  const locks = createLocks(pool)
  await locks.migrate()
  const lease = await locks.acquire('job')
  const tx = await pool.connect()
  await tx.query('BEGIN')
  await lease.fence(tx)
  await lease.refresh()
  const order: string[] = []
  const breaking = createLocks(pool)
    .break('job', { force: true })
    .then(() => order.push('broken'))
  await expect.poll(() => waitingFor(pool)).toBe(1)
  order.push('commit')
  await tx.query('COMMIT')
  tx.release()
  await breaking
  expect(order).toEqual(['commit', 'broken'])
  await locks.close()
  await pool.end()
  await database.drop()
})
