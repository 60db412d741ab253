import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks, type Lease } from '../src/index.ts'
import { lockWorld, serverRoutes } from './world/lock-world.ts'
import { QUICK, serverWorld } from './world/server-world.ts'

/** A fenced transaction of a holder, open until it is told to end. */
async function fenced(pool: pg.Pool, lease: Lease) {
  const tx = await pool.connect()
  await tx.query('BEGIN')
  await lease.fence(tx)
  return {
    tx,
    async commit() {
      await tx.query('COMMIT')
      tx.release()
    },
  }
}

describe.each(serverRoutes)('on %s a live key', (route) => {
  test('is refused at once while its holder has a fenced transaction open', async () => {
    await using world = await lockWorld(route, QUICK)
    const pool = world.db as pg.Pool
    const lease = await world.locks.acquire('job')
    const open = await fenced(pool, lease)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false, token: lease.token })
    await expect(world.another().acquire('job', { waitMs: 300 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    })
    await open.commit()
    expect(lease.held).toBe(true)
  })

  test('whose lease has ended stays refused until what it fenced has ended, and is told as that', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    const open = await fenced(world.db as pg.Pool, lease)
    await world.expire('job')
    const refused = await world.another().tryAcquire('job')
    expect(refused).toMatchObject({ acquired: false, holder: { pid: process.pid } })
    expect(!refused.acquired && refused.expiresInMs).toBeLessThanOrEqual(0)
    await expect(world.another().acquire('job', { waitMs: 100 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
    })
    const waiting = world.another().acquire('job', { waitMs: 30_000 })
    await open.commit()
    expect((await waiting).token).toBeGreaterThan(lease.token)
  })

  test('can be released within a transaction that it fenced, and is then taken when that has ended', async () => {
    await using world = await lockWorld(route, QUICK)
    const lease = await world.locks.acquire('job')
    const open = await fenced(world.db as pg.Pool, lease)
    expect(await lease.release()).toBe(true)
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: false })
    await open.commit()
    expect(await world.another().tryAcquire('job')).toMatchObject({ acquired: true })
  })
})

describe('a refused try', () => {
  test('does not hold up others: three of them leave a pool of three to the heartbeat of another lease', async () => {
    await using world = await serverWorld()
    const lease = await world.locks(world.admin).acquire('job')
    const open = await fenced(world.admin, lease)
    const locks = world.locks(world.pool({ max: 3 }))
    const other = await locks.acquire('other')
    const tries = await Promise.all([1, 2, 3].map(() => locks.tryAcquire('job')))
    expect(tries.map(({ acquired }) => acquired)).toEqual([false, false, false])
    await other.refresh()
    expect(other.held).toBe(true)
    await open.commit()
  })

  test.each(['read committed', 'repeatable read', 'serializable'])(
    'in an open transaction under %s costs the holder nothing and locks nothing',
    async (isolation) => {
      await using world = await serverWorld([`default_transaction_isolation TO '${isolation}'`])
      const lease = await world.locks(world.admin).acquire('job')
      const client = await world.admin.connect()
      await client.query('BEGIN')
      expect(await createLocks(client, QUICK).tryAcquire('job')).toMatchObject({ acquired: false })
      const { rows } = await client.query(
        `SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND (locktype = 'transactionid' OR mode LIKE 'Row%')`,
      )
      expect(rows).toEqual([])
      await lease.refresh()
      expect(await lease.release()).toBe(true)
      await client.query('COMMIT')
      client.release()
    },
  )

  test('writes nothing to the log of the server', async () => {
    await using world = await serverWorld()
    await world.locks(world.admin).acquire('job')
    const challenger = world.locks(world.admin)
    // Pages that were touched for the first time are written as they are set all-visible or pruned.
    for (let n = 0; n < 5; n++) await challenger.tryAcquire('job')
    const client = await world.admin.connect()
    const written = async () =>
      (await client.query('SELECT pg_current_xact_id_if_assigned() AS xid, pg_current_wal_insert_lsn() AS lsn')).rows[0]
    await client.query('BEGIN')
    for (let n = 0; n < 20; n++) await createLocks(client).tryAcquire('job')
    expect((await written()).xid).toBeNull()
    await client.query('COMMIT')
    client.release()
  })

  test('through 60 waiters under repeatable read fails for none of them', { timeout: 120_000 }, async () => {
    await using world = await serverWorld(["default_transaction_isolation TO 'repeatable read'"])
    const pool = world.pool({ max: 20 })
    let inside = 0
    await Promise.all(
      Array.from({ length: 60 }, () =>
        world.locks(pool).withLock('job', { waitMs: 60_000 }, async () => {
          expect(++inside).toBe(1)
          await pool.query('SELECT 1')
          inside--
        }),
      ),
    )
  })
})
