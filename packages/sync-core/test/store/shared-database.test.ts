import { engines, freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import {
  migrate,
  openDatabase,
  pendingMigrations,
  pendingVectorTable,
  removeSource,
  syncSource,
} from '../../src/index.ts'
import { emptyRepository } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'

describe.each(engines)('a schema in %s', (engine) => {
  test('has a primary key in each table, and says of each table and column what it holds', async () => {
    await using world = await testWorld({ engine })
    const { rows } = await world.db.query(
      `SELECT relname, obj_description(c.oid, 'pg_class') IS NOT NULL AS commented, ARRAY(
         SELECT attname::text FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND col_description(c.oid, attnum) IS NULL
       ) AS uncommented,
       EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary) AS keyed
       FROM pg_class AS c WHERE relnamespace = 'tidemark'::regnamespace AND relkind = 'r'`,
    )
    expect(rows.map(({ relname }) => relname)).toContain('quarantine')
    for (const { relname: table, commented, uncommented, keyed } of rows)
      expect({ table, commented, uncommented, keyed }).toEqual({ table, commented: true, uncommented: [], keyed: true })
  })

  test('has statistics of what a large first import has written', async () => {
    await using world = await testWorld({ engine })
    const files = Array.from({ length: 1_001 }, (_, i) => [`p${i}.md`, `[next](p${i + 1}.md)`])
    await world.repository.commit(Object.fromEntries(files))
    await world.sync({ search: false })
    const { rows } = await world.db.query(
      `SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'tidemark' AND attname = 'source_id' ORDER BY tablename`,
    )
    expect(rows.map(({ tablename }) => tablename)).toEqual(expect.arrayContaining(['chunks', 'links', 'pages']))
  })

  test('that is published as a whole stops no sync, whatever it writes and deletes', async () => {
    await using world = await testWorld({ engine })
    await world.db.query('CREATE PUBLICATION everything FOR TABLES IN SCHEMA tidemark')
    try {
      await world.repository.commit({ 'a.md': '# A', 'b.md': '[a](a.md)', 'bad.md': 'a\0b' })
      expect(await world.sync()).toMatchObject({ status: 'first_sync', filesImported: 2, filesQuarantined: 1 })
      await world.repository.commit({ 'a.md': '# Other', 'bad.md': 'good' })
      expect(await world.sync()).toMatchObject({
        ...{ status: 'synced', filesImported: 1, filesUpdated: 1, filesDeleted: 1, filesQuarantined: 0 },
      })
      await world.repository.commit({ 'a.md': '# Other', 'bad.md': 'a\0b' })
      expect(await world.sync()).toMatchObject({ status: 'synced', filesQuarantined: 1 })
      expect(await world.sync({ retryQuarantined: true })).toMatchObject({ filesQuarantined: 1 })
    } finally {
      await world.db.query('DROP PUBLICATION everything')
    }
  })
})

/** A fresh Postgres database with its owner, and a role that may do nothing there yet. */
async function withRole(work: (world: { owner: pg.Client; role: string; url: string }) => Promise<void>) {
  const database = await freshDatabase('postgres')
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  const role = `app_${database.url.slice(-12)}`
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'x'
  try {
    await work({ owner, role, url: url.href })
  } finally {
    await owner.query(`DROP OWNED BY ${role} CASCADE`)
    await owner.query(`DROP ROLE ${role}`)
    await owner.end()
    await database.drop()
  }
}

describe.runIf(engines.includes('postgres'))('a role', () => {
  test('that may not make schemas makes its tables in the one that someone has made for it', async () => {
    await withRole(async ({ owner, role, url }) => {
      await owner.query(`CREATE SCHEMA tidemark; GRANT USAGE, CREATE ON SCHEMA tidemark TO ${role}`)
      const db = await openDatabase(url)
      await migrate(db)
      expect(await pendingMigrations(db)).toEqual([])
      await db.close()
    })
  })

  test('that may make neither is told what to have run, and which rights it needs', async () => {
    await withRole(async ({ url }) => {
      const db = await openDatabase(url)
      await expect(migrate(db)).rejects.toMatchObject({
        code: 'DATABASE_REFUSED',
        hint: expect.stringMatching(/migrate --dry-run.*GRANT USAGE ON SCHEMA.*GRANT SELECT, INSERT, UPDATE, DELETE/),
      })
      await db.close()
    })
  })

  test('that lacks only the right to use the schema is told that one, and not to make tables', async () => {
    await withRole(async ({ owner, role, url }) => {
      const made = await openDatabase(url)
      await owner.query('CREATE SCHEMA tidemark')
      await expect(migrate(made)).rejects.toMatchObject({
        hint: expect.stringMatching(/^Have the owner of the schema run: GRANT USAGE/),
      })
      await owner.query(`GRANT USAGE ON SCHEMA tidemark TO ${role}`)
      await expect(migrate(made)).rejects.toMatchObject({
        hint: expect.stringContaining('GRANT USAGE, CREATE ON SCHEMA tidemark'),
      })
      await made.close()
    })
  })

  test('that may only read and write rows syncs into the tables that were made from the statements it was shown', async () => {
    await withRole(async ({ owner, role, url }) => {
      const db = await openDatabase(url)
      // The latter where embeddings are configured; this server has no pgvector.
      const [statements, vectors] = [await pendingMigrations(db), await pendingVectorTable(db)]
      expect(vectors).toEqual([expect.stringContaining('CREATE TABLE IF NOT EXISTS tidemark.embeddings')])
      for (const statement of statements) await owner.query(statement)
      await owner.query(`GRANT USAGE ON SCHEMA tidemark TO ${role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO ${role}`)
      await migrate(db)
      const repository = await emptyRepository()
      await repository.commit({ 'a.md': '# A', 'b.md': '[a](a.md)' })
      const source = { id: 'docs', repo: repository.folder, ref: 'main' }
      expect(await syncSource(db, source)).toMatchObject({ status: 'first_sync', filesImported: 2, warnings: [] })
      await repository.commit({ 'a.md': 'other' })
      expect(await syncSource(db, source)).toMatchObject({ status: 'synced', warnings: [] })
      expect(await syncSource(db, source, { full: true })).toMatchObject({ status: 'synced', warnings: [] })
      await removeSource(db, 'docs', new AbortController().signal)
      expect((await db.query('SELECT FROM tidemark.pages')).rows).toEqual([])
      repository.remove()
      await db.close()
    })
  })
})
