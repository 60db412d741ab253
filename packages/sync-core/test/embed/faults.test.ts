import { type EmbeddingServer, type Fault, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Embedding, type EmbedOptions, embedSource, search } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

let server: EmbeddingServer
let world: TestWorld
beforeEach(async () => {
  server = await serveEmbeddings()
  world = await testWorld({ engine: 'pglite' })
  await world.repository.commit(
    Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.md`, `Text number ${i}.`])),
  )
  await world.sync()
})
afterEach(async () => {
  await server.close()
  await world[Symbol.asyncDispose]()
})

const embed = (options: EmbedOptions = {}, others: Partial<Embedding> = {}) =>
  embedSource(world.db, 'docs', { url: server.url, model: 'm', batchSize: 2, concurrency: 1, ...others }, options)
const vectors = async () =>
  (await world.db.query('SELECT vector_dims(embedding)::integer AS dims FROM tidemark.embeddings')).rows.map(
    ({ dims }) => dims,
  )
const times = (count: number, fault: Fault) => Array<Fault>(count).fill(fault)

describe('a server of embeddings', () => {
  test.each<[string, Fault[]]>([
    ['that is over its limit', [{ status: 429 }]],
    ['that is over its limit twice', times(2, { status: 429 })],
    ['that has a fault', [{ status: 500 }]],
    ['that is being restarted', [{ status: 503 }, 'cut']],
    ['that cuts a connection', ['cut']],
    ['that answers with fewer vectors than texts', ['short']],
    ['that answers with what is no number', ['nan']],
  ])('%s is asked again, and nothing is missing in the end', async (_, faults) => {
    server.faults.push(...faults)

    expect(await embed()).toMatchObject({ status: 'synced', chunksEmbedded: 6, chunksQuarantined: 0 })

    expect(await vectors()).toEqual(Array(6).fill(8))
    expect([...server.embedded.values()]).toEqual(Array(6).fill(1))
  })

  test('that says when to come back is left alone until then', async () => {
    server.faults.push({ status: 429, retryAfter: '1' })

    expect(await embed()).toMatchObject({ status: 'synced' })

    const [first, second] = server.requestedAt
    expect(second! - first!).toBeGreaterThanOrEqual(1_000)
  })

  test('that says to come back after the budget ends it as partial, with what is in', async () => {
    server.faults.push(...times(1, { status: 429, retryAfter: '3600' }))

    expect(await embed({ budgetMs: 500 })).toMatchObject({ status: 'partial', reason: 'timeout' })

    expect(await embed()).toMatchObject({ status: 'synced', chunksEmbedded: 6 })
  })

  test('that gives no answer is asked again after its time', async () => {
    server.faults.push('hang')

    expect(await embed({}, { requestTimeoutMs: 300 })).toMatchObject({ status: 'synced', chunksEmbedded: 6 })
  })

  test('that refuses a text has only that one set aside, with the reason', async () => {
    server.refuse = (text) => text === 'Text number 3.'

    expect(await embed()).toMatchObject({
      status: 'synced',
      chunksEmbedded: 5,
      chunksQuarantined: 1,
      chunksRemaining: 0,
    })

    const { rows } = await world.db.query('SELECT message FROM tidemark.embedding_quarantine')
    expect(rows).toEqual([{ message: expect.stringContaining('that text is too much') }])
    expect(await embed()).toMatchObject({ status: 'up_to_date', requests: 0 })
    server.refuse = null
    expect(await embed({ retryQuarantined: true })).toMatchObject({ status: 'synced', chunksEmbedded: 1 })
  })

  test('that refuses everything is the one at fault, and no text is set aside', async () => {
    server.refuse = () => true

    expect(await embed()).toMatchObject({
      status: 'failed',
      chunksQuarantined: 0,
      error: { code: 'EMBEDDING_REJECTED', message: expect.stringContaining('that text is too much') },
    })
  })

  test('whose vectors have other dimensions than were asked for is refused with both numbers', async () => {
    expect(await embed({}, { dimensions: 16 })).toMatchObject({
      status: 'failed',
      error: { code: 'EMBEDDING_DIMENSIONS', message: expect.stringMatching(/8 dimensions where 16/) },
    })
    expect(await embed()).toMatchObject({ status: 'synced' })
  })

  test('whose vectors change their dimensions is refused with both numbers, and what is in stays', async () => {
    await embed({ budgetMs: 100_000 })
    await world.repository.commit({ 'new.md': 'New.' })
    await world.sync()
    server.faults.push({ dimensions: 3 })

    expect(await embed()).toMatchObject({
      status: 'failed',
      error: { code: 'EMBEDDING_DIMENSIONS', message: expect.stringMatching(/3 dimensions where 8/) },
    })
    expect(await vectors()).toEqual(Array(6).fill(8))
  })

  test.each([
    [401, 'EMBEDDING_REFUSED', /key/],
    [404, 'EMBEDDING_REFUSED', /model "m"/],
  ])('that answers with %i is not asked again, and the hint says what to set', async (status, code, message) => {
    server.faults.push({ status })

    const result = await embed({}, { key: 'sk-secret' })

    expect(result).toMatchObject({
      status: 'failed',
      requests: 1,
      error: { code, message: expect.stringMatching(message) },
    })
    expect(JSON.stringify(result)).not.toContain('sk-secret')
  })

  test('that is not there is told with its address', { timeout: 60_000 }, async () => {
    const result = await embed({}, { url: 'http://127.0.0.1:1/v1' })

    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'EMBEDDING_FAILED', message: expect.stringContaining('127.0.0.1:1') },
    })
  })

  test('that asks for time is not waited for by a search, which goes by words and says so', async () => {
    await embed()
    const before = server.requestedAt.length
    server.faults.push({ status: 429, retryAfter: '3600' })

    const found = await search(world.db, 'number', { embedding: { url: server.url, model: 'm' } })

    expect(found).toMatchObject({ mode: 'text', warnings: [{ code: 'text_only' }] })
    expect(found.hits).toHaveLength(6)
    expect(server.requestedAt).toHaveLength(before + 1)
  })
})
