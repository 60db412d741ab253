import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sqlState } from '../../src/database-error.ts'
import { createLocks, type Lease, type Locks } from '../../src/index.ts'
import { clients, type OpenClient } from './clients.ts'

describe.each(clients)('the recipe for $name', ({ engine, listens, survivesCuts, open }) => {
  let database: FreshDatabase
  let client: OpenClient
  let locks: Locks
  /** Another process's locks, as far as the database can tell. */
  let others: Locks
  let key: string

  beforeAll(async () => {
    database = await freshDatabase(engine)
    client = await open(database.url)
    await createLocks(client.queryable).migrate()
    await client.queryable.query('CREATE TABLE log (line text)')
  })
  afterAll(async () => {
    await client?.close()
    await database?.drop()
  })
  beforeEach(({ task }) => {
    key = task.name
    locks = createLocks(client.queryable)
    others = createLocks(client.queryable)
  })
  afterEach(async () => {
    await Promise.all([locks.close(), others.close()])
    await client.queryable.query('DELETE FROM log')
  })

  const writeUnderLease = (lease: Lease, write: (tx: any) => Promise<void>) =>
    client.recipe.writeUnderLease(client.connection, lease, write)
  const insertUnderLease = (lease: Lease, line: string, tx = client.connection) =>
    client.recipe.insertUnderLease(tx, lease, line)
  const readLog = async () =>
    (await client.queryable.query('SELECT line FROM log ORDER BY line')).rows.map(({ line }) => line)

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
    const next = await others.acquire(key, { waitMs: 0 })
    expect(next.token).toBeGreaterThan(lease.token)
  })

  test('commits what is written under the fence', async () => {
    const lease = await locks.acquire(key)
    await insertUnderLease(lease, '1: a statement of its own')
    await writeUnderLease(lease, (tx) => insertUnderLease(lease, '2: in a transaction', tx))
    expect(await readLog()).toEqual(['1: a statement of its own', '2: in a transaction'])
  })

  test('commits nothing for a holder whose lease was broken by force', async () => {
    const broken = await locks.acquire(key)
    const held = await locks.acquire(`${key}, still held`)
    expect(await others.break(key, { force: true })).toMatchObject({ verdict: 'broken', token: broken.token })
    await expect(insertUnderLease(broken, 'late')).rejects.toThrow('the lease is lost')
    const writingLate = writeUnderLease(broken, (tx) => insertUnderLease(held, 'never run', tx))
    await expect(writingLate).rejects.toThrow(/the lease .*is lost/)
    const writingBoth = writeUnderLease(held, async (tx) => {
      await insertUnderLease(held, 'rolled back', tx)
      await insertUnderLease(broken, 'late', tx)
    })
    await expect(writingBoth).rejects.toThrow('the lease is lost')
    expect(await readLog()).toEqual([])
  })

  test('keeps a take-over waiting while a fenced transaction is open', async () => {
    const lease = await locks.acquire(key)
    await client.queryable.query(`UPDATE heartbeat_locks SET expires_at = clock_timestamp() - interval '1 second'`)
    const opened = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    const writing = writeUnderLease(lease, async (tx) => {
      opened.resolve()
      await mayCommit.promise
      await insertUnderLease(lease, 'in time', tx)
    })
    await Promise.race([opened.promise, writing])
    let taken = false
    const takeOver = others.acquire(key, { waitMs: 30_000 }).finally(() => {
      taken = true
    })
    // Long enough for several tries.
    await sleep(300)
    const takenBeforeCommit = taken
    mayCommit.resolve()
    await writing
    expect(takenBeforeCommit).toBe(false)
    expect((await takeOver).token).toBeGreaterThan(lease.token)
    expect(await readLog()).toEqual(['in time'])
  })

  if (survivesCuts)
    test('commits nothing when the connection is cut within a fenced transaction, and goes on', async () => {
      const lease = await locks.acquire(key)
      const writing = writeUnderLease(lease, async (tx) => {
        await insertUnderLease(lease, 'cut off', tx)
        await cutConnections(database.url)
        await insertUnderLease(lease, 'too late', tx)
      })
      await expect(writing).rejects.toThrow()
      await expect.poll(() => lease.refresh()).toBe(undefined)
      await insertUnderLease(lease, 'after it')
      expect(await readLog()).toEqual(['after it'])
    })

  test('reports a missing table as LOCK_NOT_MIGRATED', async () => {
    const unmigrated = createLocks(client.queryable, { table: 'missing' })
    await expect(unmigrated.acquire(key)).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
    await expect(unmigrated.inspect(key)).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
  })

  test("keeps the SQLSTATE of the server's errors", async () => {
    const codes = ['23505', '40001', '40P01', '42501', '57014', '57P01']
    const raise = (code: string) =>
      client.queryable
        .query(`DO $$ BEGIN RAISE EXCEPTION 'on purpose' USING ERRCODE = '${code}'; END $$`)
        .then(() => 'no error', sqlState)
    expect(await Promise.all(codes.map(raise))).toEqual(codes)
  })

  if (listens)
    test('tells the holder of a request to resign at once', async () => {
      const listen = client.listener
      await using listening = createLocks(client.queryable, { listen })
      await using requesting = createLocks(client.queryable, { listen })
      const lease = await listening.acquire(key)
      // Long before the next heartbeat. Asked again until it listens.
      const requestResign = async () => {
        await requesting.requestResign(key)
        return lease.resignSignal.aborted
      }
      await expect.poll(requestResign, { timeout: 10_000 }).toBe(true)
    })
})

/** Ends all connections to a database, as a restart of the server does. */
async function cutConnections(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  )
  await admin.end()
}

test.each(clients)('RECIPES.md shows the recipe for $name as it is tested', ({ recipe }) => {
  const tested = readFileSync(new URL(recipe, import.meta.url), 'utf8').replace('../../src/index.ts', '@tidemark/lock')
  expect(readFileSync(new URL('../../RECIPES.md', import.meta.url), 'utf8')).toContain(tested)
})
