import { setTimeout as sleep } from 'node:timers/promises'
import { freshDatabase } from '@tidemark/test-engines'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLocks, type Locks } from '../../src/index.ts'
import { sqlState } from '../../src/queryable.ts'
import { clients, type OpenClient } from './clients.ts'

describe.each(clients)('the recipe for $name', ({ engine, open }) => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let client: OpenClient
  let locks: Locks
  /** Another process's locks, as far as the database can tell. */
  let others: Locks
  let key: string

  beforeAll(async () => {
    database = await freshDatabase(engine)
    client = await open(database.url)
    await createLocks(client.db).migrate()
    await client.db.query('CREATE TABLE log (line text)')
  })
  afterAll(async () => {
    await client?.close()
    await database?.drop()
  })
  beforeEach(({ task }) => {
    key = task.name
    locks = createLocks(client.db)
    others = createLocks(client.db)
  })
  afterEach(async () => {
    await Promise.all([locks.close(), others.close()])
    await client.db.query('DELETE FROM log')
  })

  const written = async () => (await client.db.query('SELECT line FROM log ORDER BY line')).rows

  test('takes, refuses, renews and releases a lease whose info is an object', async () => {
    const info = { started_by: 'a test', pages: [1, 2], more: { isDone: false } }
    const lease = await locks.acquire(key, { info })
    expect(await locks.inspect(key)).toMatchObject({ token: lease.token, holder: { pid: process.pid }, info })
    expect(await others.tryAcquire(key)).toMatchObject({ acquired: false, token: lease.token, info })
    await lease.refresh()
    await lease.update({ pages: [] })
    expect((await locks.inspect(key))?.info).toEqual({ pages: [] })
    expect(await lease.release()).toBe(true)
    expect(await locks.inspect(key)).toMatchObject({ holder: null, info: null, endReason: 'released' })
    expect(await others.tryAcquire(key)).toMatchObject({ acquired: true })
  })

  test('commits what is written under the fence', async () => {
    const lease = await locks.acquire(key)
    await client.insertUnderLease(lease, '1: a statement of its own')
    await client.writeUnderLease(lease, (tx) => client.insertUnderLease(lease, '2: in a transaction', tx))
    expect(await written()).toEqual([{ line: '1: a statement of its own' }, { line: '2: in a transaction' }])
  })

  test('commits nothing of a holder whose lease was broken by force', async () => {
    const broken = await locks.acquire(key)
    const held = await locks.acquire(`${key}, held`)
    expect(await others.break(key, { force: true })).toMatchObject({ verdict: 'broken', token: broken.token })
    let writes = 0
    await expect(client.writeUnderLease(broken, async () => void writes++)).rejects.toThrow(/lease .*is lost/)
    expect(writes).toBe(0)
    await expect(client.insertUnderLease(broken, 'late')).rejects.toThrow('the lease is lost')
    const writing = client.writeUnderLease(held, async (tx) => {
      await client.insertUnderLease(held, 'before the late one', tx)
      await client.insertUnderLease(broken, 'late', tx)
    })
    await expect(writing).rejects.toThrow('the lease is lost')
    expect(await written()).toEqual([])
  })

  test('keeps a take-over waiting while a fenced transaction is open', async () => {
    const lease = await locks.acquire(key)
    await client.db.query(`UPDATE heartbeat_locks SET expires_at = clock_timestamp() - interval '1 second'`)
    const opened = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const writing = client.writeUnderLease(lease, async (tx) => {
      await client.insertUnderLease(lease, 'in time', tx)
      opened.resolve()
      await end.promise
    })
    await opened.promise
    let taken = false
    const takeOver = others.acquire(key, { waitMs: 30_000 }).then((next) => {
      taken = true
      return next
    })
    await sleep(300)
    expect(taken).toBe(false)
    end.resolve()
    await writing
    expect((await takeOver).token).toBeGreaterThan(lease.token)
    expect(await written()).toEqual([{ line: 'in time' }])
  })

  test('tells of a missing table as LOCK_NOT_MIGRATED', async () => {
    const unmigrated = createLocks(client.db, { table: 'missing' })
    await expect(unmigrated.acquire(key)).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
    await expect(unmigrated.inspect(key)).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
  })

  test('keeps the SQLSTATE of an error of the server', async () => {
    const codes = ['23505', '40001', '40P01', '42501', '57014', '57P01']
    const raise = (code: string) =>
      client.db
        .query(`DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '${code}'; END $$`)
        .then(() => 'no error', sqlState)
    expect(await Promise.all(codes.map(raise))).toEqual(codes)
  })
})
