import { freshDatabase, vectorEngines } from '@tidemark/test-engines'
import { type EmbeddingServer, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  collectEmbeddings,
  type Embedding,
  type EmbedOptions,
  embedSource,
  openDatabase,
  search,
} from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

let server: EmbeddingServer
let world: TestWorld
beforeEach(async () => {
  server = await serveEmbeddings()
})
afterEach(() => server.close())

const embed = (options: EmbedOptions = {}, others: Partial<Embedding> & { source?: string } = {}) => {
  const { source = 'docs', ...rest } = others
  return embedSource(world.db, source, { url: server.url, model: 'm', batchSize: 2, ...rest }, options)
}
const texts = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.md`, `Text number ${i}.`]))
const requests = () => server.requestedAt.length
const embeddings = async (model = 'm') =>
  (await world.db.query('SELECT * FROM tidemark.embeddings WHERE model = $1', [model])).rows.length

describe.each(vectorEngines)('embedding on %s', (engine) => {
  beforeEach(async () => {
    world = await testWorld({ engine })
  })
  afterEach(() => world[Symbol.asyncDispose]())

  test('embeds every chunk, and then finds nothing to do and asks no one', async () => {
    await world.repository.commit(texts(5))
    await world.sync()

    expect(await embed()).toMatchObject({
      status: 'synced',
      chunksEmbedded: 5,
      chunksRemaining: 0,
      tokens: 5,
    })

    expect(await embeddings()).toBe(5)
    const before = requests()
    expect(await embed()).toMatchObject({ status: 'up_to_date', chunksEmbedded: 0, requests: 0 })
    expect(requests()).toBe(before)
  })

  test('embeds the same text once, in however many pages and sources it stands', async () => {
    await world.repository.commit({ 'a.md': 'Same.', 'b.md': 'Same.', 'c.md': 'Other.' })
    await world.sync()
    await world.sync({ id: 'copy' })

    expect(await embed()).toMatchObject({ status: 'synced', chunksEmbedded: 2 })
    expect(await embed({}, { source: 'copy' })).toMatchObject({ status: 'up_to_date', chunksEmbedded: 0 })

    expect([...server.embedded.values()]).toEqual([1, 1])
  })

  test('of two sources at once embeds the text that both have once', async () => {
    await world.repository.commit(texts(30))
    await world.sync()
    await world.sync({ id: 'copy' })

    const results = await Promise.all([embed(), embed({}, { source: 'copy' })])

    // One may come to find that the other has done it all.
    const done = { status: expect.stringMatching(/^(synced|up_to_date)$/), chunksRemaining: 0 }
    expect(results).toMatchObject([done, done])
    expect([...server.embedded.values()]).toEqual(Array(30).fill(1))
  })

  test('costs nothing after a full sync that mended chunks, because it keeps every embedding', async () => {
    await world.repository.commit(texts(5))
    await world.sync()
    await embed()
    await world.db.query(`UPDATE tidemark.chunks SET content = 'edited', content_hash = '\\x00'`)

    await world.sync({ full: true })

    expect(await embeddings()).toBe(5)
    expect(await embed()).toMatchObject({ status: 'up_to_date', chunksEmbedded: 0 })
  })

  test('costs nothing for pages that were renamed or moved, or are what they once were', async () => {
    await world.repository.commit({ 'a.md': 'First.', 'b.md': 'Second.' })
    await world.sync()
    await embed()
    await world.repository.commit({ 'moved/a.md': 'First.', 'b.md': 'Changed.' })
    await world.sync()
    expect(await embed()).toMatchObject({ chunksEmbedded: 1 })
    await world.repository.commit({ 'a.md': 'First.', 'b.md': 'Second.' })
    await world.sync()

    expect(await embed()).toMatchObject({ status: 'up_to_date', requests: 0 })
  })

  test('starts a new set for another model, and searches by the old one until that is complete', async () => {
    await world.repository.commit(texts(6))
    await world.sync()
    await embed()
    server.faults.push({ status: 401 })
    const next = { model: 'next', concurrency: 1 }
    await embed({}, { ...next, dimensions: 8 })
    await world.db.query(`INSERT INTO tidemark.embedding_models VALUES ('next', 8, NULL) ON CONFLICT DO NOTHING`)
    const asked = { url: server.url, model: 'next' }

    expect(await search(world.db, 'Text number 3.', { embedding: asked })).toMatchObject({ mode: 'hybrid' })

    expect(await embed({}, next)).toMatchObject({ status: 'synced', chunksEmbedded: 6 })
    expect([await embeddings('m'), await embeddings('next')]).toEqual([6, 6])
    const { hits } = await search(world.db, 'Text number 3.', { embedding: asked, mode: 'vector' })
    expect(hits[0]).toMatchObject({ path: '3.md', ranks: { text: null, vector: 1 } })
  })

  test('collects embeddings of texts that are gone, and sets that a complete one has replaced', async () => {
    await world.repository.commit(texts(4))
    await world.sync()
    await embed()
    await world.repository.commit(texts(3))
    await world.sync()
    expect(await collectEmbeddings(world.db, 'm', { dryRun: true })).toEqual({ embeddings: 1, models: [] })
    expect(await embeddings()).toBe(4)

    expect(await collectEmbeddings(world.db, 'm')).toEqual({ embeddings: 1, models: [] })

    expect(await embeddings()).toBe(3)
    await embed({}, { model: 'next' })
    expect(await collectEmbeddings(world.db, 'next')).toEqual({ embeddings: 3, models: ['m'] })
    expect([await embeddings('m'), await embeddings('next')]).toEqual([0, 3])
  })

  test('estimates tokens and cost in a dry run, and asks, writes and takes nothing', async () => {
    await world.repository.commit({
      'a.md': 'x'.repeat(4_000),
      'b.md': 'x'.repeat(4_000),
      'c.md': 'y'.repeat(4_000),
    })
    await world.sync()
    const state = async () =>
      (
        await world.db.query(`SELECT to_regclass('tidemark.embeddings') AS made,
          (SELECT json_agg(token ORDER BY key) FROM tidemark.locks) AS tokens`)
      ).rows
    const before = await state()

    expect(await embed({ dryRun: true }, { pricePerMillionTokens: 500 })).toMatchObject({
      status: 'dry_run',
      chunksRemaining: 2,
      estimate: { tokens: 2_000, cost: 1 },
    })

    expect(requests()).toBe(0)
    expect(await state()).toEqual(before)
  })

  test('has nothing to estimate in a database whose tables were not made, and makes none', async () => {
    const database = await freshDatabase('pglite')
    const db = await openDatabase(database.url)

    expect(await embedSource(db, 'docs', { url: server.url, model: 'm' }, { dryRun: true })).toMatchObject({
      status: 'dry_run',
      chunksRemaining: 0,
      estimate: { tokens: 0 },
    })

    const { rows } = await db.query(`SELECT to_regnamespace('tidemark') AS made`)
    expect(rows).toEqual([{ made: null }])
    await db.close()
    await database.drop()
  })

  test('sends the key as a bearer token, and the dimensions that are asked for', async () => {
    await world.repository.commit(texts(1))
    await world.sync()

    await embed({}, { key: 'sk-secret', dimensions: 8 })

    expect(server.keys).toEqual(['Bearer sk-secret'])
  })

  test('builds the index of the vectors when the set is complete', async () => {
    await world.repository.commit(texts(3))
    await world.sync()
    await embed()

    const { rows } = await world.db.query(
      `SELECT indexdef FROM pg_indexes WHERE tablename = 'embeddings' AND indexdef LIKE '%hnsw%'`,
    )
    expect(rows).toMatchObject([{ indexdef: expect.stringContaining('vector(8)') }])
  })

  test('stops in its budget as partial with what it has, and goes on until all is there, nothing embedded twice', async () => {
    await world.repository.commit(texts(60))
    await world.sync()
    let stops = 0
    let result = await embed({ budgetMs: 60 }, { concurrency: 1 })
    for (; result.status === 'partial'; stops++) {
      expect(result).toMatchObject({ reason: 'timeout' })
      result = await embed({ budgetMs: 60 }, { concurrency: 1 })
    }

    expect(result).toMatchObject({ status: expect.stringMatching(/synced|up_to_date/), chunksRemaining: 0 })
    const counts = [...server.embedded.values()]
    expect(counts).toHaveLength(60)
    expect(counts.reduce((sum, count) => sum + count, 0) - 60).toBeLessThanOrEqual(stops * 2)
    expect(await embeddings()).toBe(60)
  })

  test('is busy where another process embeds the source, and a sync of the source waits for nothing', async () => {
    await world.repository.commit(texts(3))
    await world.sync()
    server.faults.push('hang')
    const came = server.requested()
    const stop = new AbortController()
    const running = embed({ signal: stop.signal })
    await came

    expect(await embed()).toMatchObject({ status: 'busy', holder: { pid: process.pid } })
    await world.repository.commit(texts(5))
    expect(await world.sync()).toMatchObject({ status: 'synced', filesImported: 2 })
    const { hits } = await search(world.db, 'number 4')
    expect(hits[0]).toMatchObject({ path: '4.md' })

    stop.abort()
    expect(await running).toMatchObject({ status: 'partial', reason: 'cancelled' })
    expect(await embed()).toMatchObject({ status: 'synced', chunksRemaining: 0 })
    expect(await embeddings()).toBe(5)
  })

  test('writes nothing after it has lost its lease', async () => {
    await world.repository.commit(texts(3))
    await world.sync()
    server.faults.push('hang')
    const came = server.requested()
    const running = embed({}, { requestTimeoutMs: 200 })
    await came
    await world.db.locks.break('embed:docs', { force: true })

    expect(await running).toMatchObject({ status: 'partial', reason: 'lease_lost', chunksEmbedded: 0 })
    expect(await embeddings()).toBe(0)
  })

  test('refuses what is no server and no model before anything is touched', async () => {
    await expect(embed({}, { url: 'localhost:11434' })).rejects.toMatchObject({ code: 'BAD_EMBEDDING' })
    await expect(embed({}, { model: ' ' })).rejects.toMatchObject({ code: 'BAD_EMBEDDING' })
  })
})

test('a Postgres without pgvector is told what to install, and all else goes on working', async () => {
  await using world = await testWorld({ engine: 'postgres' })
  await world.repository.commit(texts(2))
  await world.sync()

  const result = await embedSource(world.db, 'docs', { url: server.url, model: 'm' })

  expect(result).toMatchObject({ status: 'failed', error: { code: 'VECTOR_MISSING' } })
  expect(result.status === 'failed' && result.error.hint).toMatch(
    /^Install it on the server.*pgvector.* and run this again/,
  )
  expect((await search(world.db, 'number')).hits).toHaveLength(2)
})
