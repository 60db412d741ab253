import { describe, expect, test } from 'vitest'
import { createLocks, type LocksOptions, type Queryable } from '../src/index.ts'
import { routes, serverRoutes, sharedDatabase } from './world/lock-world.ts'

const COLUMNS = `key text PRIMARY KEY, holder_pid integer NOT NULL, holder_host text NOT NULL, acquired_at timestamptz NOT NULL, expires_at timestamptz NOT NULL`

let tables = 0

/** A table that another program has made, in the database of a route. */
async function createTable(db: Queryable, columns: string, more = ''): Promise<string> {
  const table = `foreign_${++tables}`
  await db.query(`CREATE TABLE ${table} (${columns}) ${more}`)
  return table
}

/** Takes a lease and gives it up, so that it is seen to work and not only to be migrated. */
async function use(db: Queryable, options: LocksOptions): Promise<void> {
  const locks = createLocks(db, options)
  await locks.migrate()
  await locks.migrate()
  const lease = await locks.acquire('job', { waitMs: 0, info: { n: 1 } })
  expect(await locks.tryAcquire('job')).toMatchObject({ acquired: false })
  await lease.refresh()
  expect(await lease.release()).toBe(true)
  await locks.close()
}

describe.each(routes)('migrate on %s refuses, and changes nothing of,', (route) => {
  test.each([
    ['a table with a token of its own', `${COLUMNS}, token text`, /column token of its own.*RENAME/],
    ['a table with a token of the right type', `${COLUMNS}, token bigint`, /column token of its own/],
    ['a table with an info of its own', `${COLUMNS}, info jsonb`, /column info of its own/],
    ['keys without a unique index', COLUMNS.replace('PRIMARY KEY', 'NOT NULL'), /key is not unique.*ADD PRIMARY KEY/],
    [
      'keys that are unique when a transaction ends',
      COLUMNS.replace('PRIMARY KEY', 'UNIQUE DEFERRABLE INITIALLY DEFERRED'),
      /not unique/,
    ],
    ['keys of fixed length', COLUMNS.replace('key text', 'key character(40)'), /key is of type character.*TYPE text/],
    ['keys that are numbers', COLUMNS.replace('key text', 'key bigint'), /key is of type bigint/],
    [
      'times without a zone',
      COLUMNS.replaceAll('timestamptz', 'timestamp'),
      /is of type timestamp without time zone.*TYPE timestamp with time zone/,
    ],
    [
      'a process id that is a text',
      COLUMNS.replace('holder_pid integer', 'holder_pid text'),
      /holder_pid is of type text/,
    ],
    ['a missing column', COLUMNS.replace('holder_host text NOT NULL, ', ''), /no column holder_host.*"columns"/],
    [
      'a column that must be given a value',
      `${COLUMNS}, worker text NOT NULL`,
      /worker must be given a value.*SET DEFAULT/,
    ],
  ])('%s', async (_, columns, message) => {
    const { db } = await sharedDatabase(route)
    const table = await createTable(db, columns)
    const before = await db.query(`SELECT attname FROM pg_attribute WHERE attrelid = '${table}'::regclass`)
    await expect(createLocks(db, { table }).migrate()).rejects.toMatchObject({
      code: 'LOCK_BAD_TABLE',
      message: expect.stringMatching(message),
    })
    const after = await db.query(`SELECT attname FROM pg_attribute WHERE attrelid = '${table}'::regclass`)
    expect(after.rows).toEqual(before.rows)
  })

  test('keys that are unique in part', async () => {
    const { db } = await sharedDatabase(route)
    const table = await createTable(db, COLUMNS.replace('PRIMARY KEY', 'NOT NULL'))
    await db.query(`CREATE UNIQUE INDEX ON ${table} (key) WHERE holder_pid > 0`)
    await db.query(`CREATE UNIQUE INDEX ON ${table} (key, holder_pid)`)
    await db.query(`CREATE UNIQUE INDEX ON ${table} (lower(key))`)
    await expect(createLocks(db, { table }).migrate()).rejects.toMatchObject({
      code: 'LOCK_BAD_TABLE',
      message: expect.stringContaining('key is not unique'),
    })
  })

  test('a view', async () => {
    const { db } = await sharedDatabase(route)
    const table = await createTable(db, COLUMNS)
    await db.query(`CREATE VIEW ${table}_view AS SELECT * FROM ${table}`)
    await expect(createLocks(db, { table: `${table}_view` }).migrate()).rejects.toMatchObject({
      code: 'LOCK_BAD_TABLE',
      message: expect.stringContaining('not a table'),
    })
  })
})

describe.each(serverRoutes)('migrate on %s refuses, and changes nothing of,', (route) => {
  test('keys of which two that differ are equal', async () => {
    const { db } = await sharedDatabase(route)
    await db.query(
      `CREATE COLLATION IF NOT EXISTS no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    )
    const table = await createTable(db, COLUMNS.replace('key text', 'key text COLLATE no_case'))
    await expect(createLocks(db, { table }).migrate()).rejects.toMatchObject({
      code: 'LOCK_BAD_TABLE',
      message: expect.stringMatching(/equal by the collation.*COLLATE "C"/),
    })
  })
})

describe.each(routes)('migrate on %s takes over', (route) => {
  test.each([
    ['keys of limited length', COLUMNS.replace('key text', 'key varchar(50)')],
    ['keys that are unique without being the primary key', COLUMNS.replace('PRIMARY KEY', 'NOT NULL UNIQUE')],
    ['a longer process id', COLUMNS.replace('holder_pid integer', 'holder_pid bigint')],
    [
      'columns of its own that may be empty or have a default',
      `${COLUMNS}, note text, made timestamptz NOT NULL DEFAULT now()`,
    ],
    [
      'a column beside a primary key of its own',
      `id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ${COLUMNS.replace('PRIMARY KEY', 'NOT NULL UNIQUE')}`,
    ],
  ])('%s', async (_, columns) => {
    const { db } = await sharedDatabase(route)
    await use(db, { table: await createTable(db, columns) })
  })

  test('a partitioned table', async () => {
    const { db } = await sharedDatabase(route)
    const table = await createTable(db, COLUMNS, 'PARTITION BY HASH (key)')
    for (const remainder of [0, 1]) {
      await db.query(
        `CREATE TABLE ${table}_${remainder} PARTITION OF ${table} FOR VALUES WITH (MODULUS 2, REMAINDER ${remainder})`,
      )
    }
    await use(db, { table })
  })

  test('a table whose names could be mistaken for SQL', async () => {
    const { db } = await sharedDatabase(route)
    await use(db, {
      table: '"a $migrate$ $body$ \'; DROP TABLE b; -- {key} \\\\"',
      columns: { key: '$heartbeat$ {table} %1$s' },
    })
  })

  test('the table of a program that deletes its row and inserts the next, which goes on doing so', async () => {
    const { db } = await sharedDatabase(route)
    const table = await createTable(db, COLUMNS)
    const insert = () => db.query(`INSERT INTO ${table} VALUES ('job', 1, 'old', now(), now() + interval '30 minutes')`)
    await insert()
    const locks = createLocks(db, { table })
    await locks.migrate()
    let last = 0n
    for (let round = 0; round < 3; round++) {
      expect(await locks.tryAcquire('job')).toMatchObject({
        acquired: false,
        holder: { host: 'old', pid: 1 },
      })
      await db.query(`DELETE FROM ${table} WHERE key = 'job' AND holder_pid = 1`)
      const lease = await locks.acquire('job', { waitMs: 0 })
      expect(lease.token).toBeGreaterThan(last)
      last = lease.token
      await expect(insert()).rejects.toMatchObject({ code: '23505' })
      await lease.release()
      await db.query(`DELETE FROM ${table} WHERE expires_at < now()`)
      await insert()
    }
    await locks.close()
  })

  test('tables whose names begin alike, and keeps them apart', async () => {
    const { db } = await sharedDatabase(route)
    const long = 'a_name_that_is_longer_than_forty_letters_and'
    const names = [`${long}_ends_so`, `${long}_ends_otherwise`, `"${'€'.repeat(21)}"`, `"${'€'.repeat(20)}xy"`]
    const all = names.map((table) => createLocks(db, { table }))
    for (const locks of all) await locks.migrate()
    for (const locks of all) expect(await locks.tryAcquire('job')).toMatchObject({ acquired: true })
    for (const locks of all) expect(await locks.tryAcquire('job')).toMatchObject({ acquired: false })
    for (const locks of all) await locks.close()
  })
})

describe('createLocks refuses a column', () => {
  const db = { query: async () => ({ rows: [] }) }
  test.each([
    ['of the package itself', { key: 'token' }, /"token"/],
    ['that is the refresh time', { expiresAt: 'last_refreshed_at' }, /"last_refreshed_at"/],
    ['that stands for two', { key: 'id', holderHost: 'id' }, /columns.holderHost and columns.key are both "id"/],
    ['that stands for another already', { holderHost: 'holder_pid' }, /both "holder_pid"/],
  ])('%s', (_, columns, message) => {
    expect(() => createLocks(db, { columns })).toThrow(
      expect.objectContaining({ code: 'LOCK_BAD_OPTIONS', message: expect.stringMatching(message) }),
    )
  })
})
