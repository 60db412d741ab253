import { rm } from 'node:fs/promises'
import { startPostgresServer } from '@tidemark/test-engines'
import { execa } from 'execa'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'
import { lockWorld, routes } from './world/lock-world.ts'

describe.each(routes)('on %s the token of a key', (route) => {
  test('rises over a deleted row, a truncated table and a sequence that begins anew', async () => {
    await using world = await lockWorld(route)
    const tokens: bigint[] = []
    for (const statement of ['SELECT', `DELETE FROM ${world.table}`, `TRUNCATE ${world.table} RESTART IDENTITY`]) {
      await world.db.query(statement)
      const lease = await world.another().acquire('job')
      tokens.push(lease.token)
      await lease.release()
    }
    expect(tokens).toEqual([...new Set(tokens)].sort())
  })

  test('is the clock of the database in microseconds, and more than the last where that has not passed it', async () => {
    await using world = await lockWorld(route)
    const { rows } = await world.db.query(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text AS now`,
    )
    const first = await world.locks.acquire('job')
    expect(first.token).toBeGreaterThanOrEqual(BigInt(rows[0].now))
    await first.release()
    // As after the clock was set back by an hour.
    const ahead = first.token + 3_600_000_000n
    await world.db.query(`UPDATE ${world.table} SET token = $1`, [String(ahead)])
    const second = await world.locks.acquire('job')
    expect(second.token).toBe(ahead + 1n)
    await world.another().break('job', { force: true })
    expect((await world.locks.acquire('job')).token).toBe(ahead + 3n)
  })
})

describe('after a server', () => {
  /** With its owner, who is the server's user. */
  const copyFolder = async (from: string, to: string) => void (await execa('cp', ['-a', from, to]))

  /** A server of its own that forgets what it has not flushed when it is killed. */
  async function forgetfulServer() {
    const server = await startPostgresServer()
    const connect = () => {
      const pool = new pg.Pool({ connectionString: server.url })
      pool.on('error', () => {})
      return pool
    }
    return { server, connect }
  }

  test('crashed with synchronous_commit off, a lease that was had is still had, and an unlogged table gives greater tokens', async () => {
    const { server, connect } = await forgetfulServer()
    const before = connect()
    const logged = createLocks(before)
    const unlogged = createLocks(before, { table: 'unlogged_locks' })
    await logged.migrate()
    await unlogged.migrate()
    await before.query('ALTER TABLE unlogged_locks SET UNLOGGED')
    const forgotten = await unlogged.acquire('job')
    // The newest of many: what is written by now and then anyway does not save it.
    for (let n = 0; n < 20; n++) await (await logged.acquire('job')).release()
    const lease = await logged.acquire('job')
    await server.crash()
    await before.end()
    const after = connect()
    expect(await createLocks(after).tryAcquire('job')).toMatchObject({ acquired: false, token: lease.token })
    const next = await createLocks(after, { table: 'unlogged_locks' }).acquire('job')
    expect(next.token).toBeGreaterThan(forgotten.token)
    const { text, params } = forgotten.fenceSql(1)
    expect((await after.query(text, params)).rows).toEqual([])
    await after.end()
    await server.stop()
  })

  test('was replaced by one that lacks the last of its data, tokens go on rising and a stale one passes no fence', async () => {
    const { server, connect } = await forgetfulServer()
    const before = connect()
    const locks = createLocks(before)
    await locks.migrate()
    await (await locks.acquire('job')).release()
    const copy = `${server.dataFolder}-copy`
    await before.query('CHECKPOINT')
    await before.end()
    // A standby that has not seen what comes now.
    await server.whileStopped(() => copyFolder(server.dataFolder, copy))
    const primary = connect()
    const onPrimary = createLocks(primary)
    for (let n = 0; n < 5; n++) await (await onPrimary.acquire('job')).release()
    const lost = await onPrimary.acquire('job')
    await primary.end()
    await server.whileStopped(async () => {
      await rm(server.dataFolder, { recursive: true })
      await copyFolder(copy, server.dataFolder)
    })
    const standby = connect()
    const next = await createLocks(standby).acquire('job', { waitMs: 10_000 })
    expect(next.token).toBeGreaterThan(lost.token)
    const { text, params } = lost.fenceSql(1)
    expect((await standby.query(text, params)).rows).toEqual([])
    await standby.end()
    await server.stop()
  })
})
