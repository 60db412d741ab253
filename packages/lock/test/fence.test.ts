import { freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'
import { lockWorld, routes } from './world/lock-world.ts'

describe.each(routes)('a fence on %s', (route) => {
  test('lets the holder write and no one whose token is stale', async () => {
    await using world = await lockWorld(route)
    const stale = await world.locks.acquire('job')
    const fence = stale.fenceSql(2)
    const write = async () =>
      (
        await world.db.query(
          `WITH fence AS MATERIALIZED (${fence.text}) SELECT $1::text AS written FROM fence`,
          ['x', ...fence.params],
        )
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
  await expect
    .poll(
      async () =>
        (await pool.query(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`))
          .rows[0].n,
    )
    .toBe(1)
  order.push('commit')
  await tx.query('COMMIT')
  tx.release()
  await breaking
  expect(order).toEqual(['commit', 'broken'])
  await locks.close()
  await pool.end()
  await database.drop()
})
