import { type EmbeddingServer, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { freshVectorDatabase, type VectorDatabase } from '@tidemark/test-engines/vector-database'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type Database,
  type EmbedOptions,
  embedSource,
  migrate,
  openDatabase,
  pendingIndexes,
  type SearchOptions,
  search,
  syncSource,
} from '../../src/index.ts'
import { createIndex, type IndexBuild, readVectorIndex } from '../../src/store/embeddings/vector-index.ts'
import { emptyRepository, type TestRepository } from '../world/test-repository.ts'

/** More than an index finds when nobody says how many. */
const PAGES = 150
const FILES = Object.fromEntries(Array.from({ length: PAGES }, (_, i) => [`${i}.md`, `Page number ${i}.`]))

let database: VectorDatabase
let db: Database
let server: EmbeddingServer
let repository: TestRepository
const random = seededRandom(1)
beforeAll(async () => {
  server = await serveEmbeddings(async (texts) => texts.map(() => Array.from({ length: 8 }, () => random() - 0.5)))
  database = await freshVectorDatabase()
  db = await openDatabase(database.url)
  await migrate(db)
  repository = await emptyRepository()
  await repository.commit(FILES)
  for (const id of ['docs', 'copy']) await syncSource(db, { id, repo: repository.folder, ref: 'main' })
}, 120_000)
afterAll(async () => {
  repository.remove()
  await server.close()
  await db.close()
  await database.drop()
})

const embed = (options: EmbedOptions = {}, on = db) => embedSource(on, 'docs', { url: server.url, model: 'm' }, options)
const find = (options: SearchOptions, on = db) =>
  search(on, 'page number', { embedding: { url: server.url, model: 'm' }, ...options })
const indexes = async () =>
  (await db.query(`SELECT indexname FROM pg_indexes WHERE tablename = 'embeddings' AND indexdef LIKE '%hnsw%'`)).rows
const dropIndexes = async () => {
  for (const { indexname } of await indexes()) await db.query(`DROP INDEX tidemark.${indexname}`)
}

async function commit(files: Record<string, string>): Promise<void> {
  await repository.commit(files)
  expect(await syncSource(db, { id: 'docs', repo: repository.folder, ref: 'main' })).toMatchObject({ status: 'synced' })
}

/** The database as a role sees it that may only what it is granted. */
async function asRole(...grants: string[]): Promise<Database> {
  const role = `reader_${Math.trunc(random() * 1e9)}`
  await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'`)
  for (const grant of grants) await db.query(`${grant} TO ${role}`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'reader'
  const opened = await openDatabase(url.href)
  onTestFinished(async () => {
    await opened.close()
    await db.query(`DROP OWNED BY ${role}`)
    await db.query(`DROP ROLE ${role}`)
  })
  return opened
}

/** The database in sessions with that setting; PGlite has a single one for all connections. */
async function withSetting(setting: string): Promise<Database> {
  const url = new URL(database.url)
  url.searchParams.set('options', `-c ${setting}`)
  const opened = await openDatabase(url.href)
  if (!database.isServer) await opened.query(`SET ${setting}`)
  onTestFinished(async () => {
    if (!database.isServer) await opened.query('RESET ALL')
    await opened.close()
  })
  return opened
}

describe('pgvector on the wire', { timeout: 120_000 }, () => {
  test('has no index built where another source of the same command has found that there will be none', async () => {
    expect(await embed({ index: false })).toMatchObject({ status: 'synced', chunksEmbedded: PAGES })
    expect(await indexes()).toEqual([])
  })

  test('is told to a DBA as SQL that builds the index, and after which nothing is left to build', async () => {
    const statements = await pendingIndexes(db)
    expect(statements).toEqual(['SET statement_timeout = 0', expect.stringMatching(/^CREATE INDEX .* USING hnsw /)])

    const dba = new pg.Client({ connectionString: database.url })
    await dba.connect()
    for (const statement of statements) await dba.query(statement)
    await dba.end()

    expect(await indexes()).toHaveLength(1)
    expect(await pendingIndexes(db)).toEqual([])
    await dropIndexes()
  })

  test('has its index built once the set is complete', async () => {
    expect(await embed()).toMatchObject({ status: 'up_to_date', warnings: [] })
    expect(await indexes()).toHaveLength(1)
  })

  test('has an index that is not valid built anew', async () => {
    await db.query(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::regclass`, [
      `tidemark.${(await indexes())[0]!.indexname}`,
    ])
    expect(await pendingIndexes(db)).toEqual(expect.arrayContaining([expect.stringMatching(/^DROP INDEX /)]))

    expect(await embed()).toMatchObject({ status: 'up_to_date', warnings: [] })

    expect(await pendingIndexes(db)).toEqual([])
  })

  test('has its index built by one process where the shared memory is too little for several', async (context) => {
    context.skip(!database.isServer, 'PGlite is one process')
    await dropIndexes()
    await db.query('ALTER TABLE tidemark.embeddings SET (parallel_workers = 2)')
    const index = await readVectorIndex(db, { model: 'm', dimensions: 8 })

    await createIndex(db, { ...(index as IndexBuild), memory: '2000GB' })

    expect(await pendingIndexes(db)).toEqual([])
    await db.query('ALTER TABLE tidemark.embeddings RESET (parallel_workers)')
  })

  // The planner would rather sort so few vectors.
  test.each([10, 100, 140, 280])('finds by an index as many pages as are asked for: %i', async (limit) => {
    const indexed = await withSetting('enable_sort=off')
    await indexed.query('ANALYZE tidemark.embeddings')

    const searches = vi.fn()
    const query: Database['query'] = (text, ...rest) => {
      if (text.includes('vector_hits')) searches()
      return indexed.query(text, ...rest)
    }

    const { hits } = await find({ mode: 'vector', limit }, { ...indexed, query })

    expect(hits).toHaveLength(limit)
    expect(searches).toHaveBeenCalledOnce()
    expect(await find({ mode: 'vector', limit: 100, sources: ['copy'] }, indexed)).toMatchObject({
      hits: { length: 100 },
    })
    expect((await indexed.query('SHOW hnsw.ef_search')).rows).toEqual([{ 'hnsw.ef_search': '40' }])
  })

  test('finds as many in a few long pages, whose chunks are nearest of all', async () => {
    const indexed = await withSetting('enable_sort=off')
    const long = Array.from({ length: 300 }, (_, i) => `## Part ${i}\n\nIt is the ${i}th part.\n`).join('\n')
    await commit({ ...FILES, 'long.md': long })
    expect(await embed()).toMatchObject({ status: 'synced' })
    await db.query(
      `UPDATE tidemark.embeddings AS e SET embedding = '[1,1,1,1,1,1,1,1]' FROM tidemark.chunks AS c
       WHERE c.content_hash = e.content_hash AND c.content LIKE '%th part.%'`,
    )
    const embedding = { url: (await serving([1, 1, 1, 1, 1, 1, 1, 1.01])).url, model: 'm' }

    expect((await search(indexed, 'part', { embedding, mode: 'vector', limit: 60 })).hits).toHaveLength(60)
  })

  test('has an index whose build takes longer than a stall, as long as the server gets on with it', async (context) => {
    context.skip(!database.isServer, 'PGlite is not cut')
    await db.query(`INSERT INTO tidemark.embedding_models VALUES ('big', 64, now())`)
    await db.query(
      `INSERT INTO tidemark.embeddings SELECT 'big', decode(md5(text.n::text), 'hex'), (
         SELECT array_agg(random()::real)::real[]::vector FROM generate_series(1, 64) WHERE text.n > 0
       ) FROM generate_series(1, 12000) AS text(n)`,
    )
    await db.query(`INSERT INTO tidemark.embeddings SELECT 'big', content_hash, (
      SELECT array_agg(random()::real)::real[]::vector FROM generate_series(1, 64)
    ) FROM tidemark.chunks ON CONFLICT DO NOTHING`)
    const onProgress = vi.fn()

    const result = await embedSource(db, 'docs', { url: server.url, model: 'big' }, { stallMs: 3_000, onProgress })

    expect(result).toMatchObject({ status: 'up_to_date', warnings: [] })
    expect(await indexes()).toHaveLength(2)
    if (result.elapsedMs > 3_000) {
      expect(onProgress).toHaveBeenCalledWith(expect.objectContaining({ source: 'docs', phase: 'index' }))
    }
    await db.query(`DELETE FROM tidemark.embeddings WHERE model = 'big'`)
  })

  test('that may not be read is left out of a search by words, which says why', async (context) => {
    context.skip(!database.isServer, 'PGlite has one role')
    const reader = await asRole(
      'GRANT USAGE ON SCHEMA tidemark',
      'GRANT SELECT ON ALL TABLES IN SCHEMA tidemark',
      'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tidemark',
    )
    await db.query(`DO $$ DECLARE role text; BEGIN
      FOR role IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'reader_%' LOOP
        EXECUTE format('REVOKE SELECT ON tidemark.embeddings FROM %I', role);
      END LOOP; END $$`)

    const found = await find({ limit: 5 }, reader)

    expect(found).toMatchObject({ mode: 'text', hits: { length: 5 } })
    expect(found.warnings).toEqual([
      { code: 'text_only', message: expect.stringContaining('permission denied for table embeddings') },
    ])
    await expect(find({ mode: 'vector' }, reader)).rejects.toMatchObject({
      code: 'VECTOR_SEARCH_FAILED',
      hint: expect.stringContaining('GRANT SELECT'),
    })
  })

  test('has no index where the role may not build it, and embeds all the same', async (context) => {
    context.skip(!database.isServer, 'PGlite has one role')
    await dropIndexes()
    const writer = await asRole(
      'GRANT USAGE ON SCHEMA tidemark',
      'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark',
    )
    await commit({ ...FILES, 'new.md': 'A page that is new.' })
    const result = await embed({}, writer)

    expect(result).toMatchObject({ status: 'synced', chunksEmbedded: 1 })
    expect(result.warnings).toEqual([
      { code: 'not_indexed', message: expect.stringMatching(/may not build it .*tidemark migrate --dry-run/) },
    ])
  })

  test('whose index takes longer than statement_timeout lets it is told what to run instead', async (context) => {
    context.skip(!database.isServer, 'PGlite cancels nothing')
    await dropIndexes()
    const hurried = await withSetting('statement_timeout=1s')
    // Someone who writes keeps the build waiting.
    const writer = new pg.Client({ connectionString: database.url })
    await writer.connect()
    await writer.query('BEGIN')
    await writer.query('LOCK TABLE tidemark.embeddings IN ROW EXCLUSIVE MODE')

    const result = await embed({}, hurried)

    expect(result).toMatchObject({
      status: 'failed',
      reason: 'not_indexed',
      chunksRemaining: 0,
      error: {
        code: 'NOT_INDEXED',
        message: expect.stringContaining('statement_timeout is 1s'),
        hint: expect.stringMatching(/PGOPTIONS.*tidemark migrate --dry-run/),
      },
    })
    expect(await embed({ stallMs: 1_000 })).toMatchObject({
      status: 'failed',
      error: { code: 'NOT_INDEXED', message: expect.stringContaining('nothing has happened for 1000 ms') },
    })
    const stopped = await embed({ budgetMs: 2_000 })
    expect(stopped).toMatchObject({ status: 'up_to_date', warnings: [{ code: 'not_indexed' }] })
    await writer.end()
    expect(await embed()).toMatchObject({ status: 'up_to_date', warnings: [] })
  })
})

/** A server that answers everything with one vector. */
async function serving(vector: number[]): Promise<EmbeddingServer> {
  const one = await serveEmbeddings(async (texts) => texts.map(() => vector))
  onTestFinished(() => one.close())
  return one
}
