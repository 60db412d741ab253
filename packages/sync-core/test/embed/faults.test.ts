import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { type EmbeddingServer, type Fault, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { embedTexts } from '../../src/embed/embed-texts.ts'
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

  test('that sends its callers on to another gives it no key', async () => {
    const first = createServer(
      (_, response) => void response.writeHead(307, { location: `${server.url}/embeddings` }).end(),
    )
    await once(first.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(first.address() as AddressInfo).port}/v1`

    await embed({ budgetMs: 5_000 }, { url, key: 'sk-s3cret' })

    expect(server.keys.filter(Boolean)).toEqual([])
    first.closeAllConnections()
    first.close()
  })

  test('that says the key it was given is told without it, and so is all that comes with the error', async () => {
    const echo = createServer((request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message: `no: ${request.headers.authorization}` } }))
    })
    await once(echo.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/v1`
    const key = 'sk-s3cret'

    const error = await embedTexts({ url, key, model: 'm' }, ['a'], { dimensions: null }).catch((error) => error)

    expect(error).toMatchObject({ code: 'EMBEDDING_REFUSED', message: expect.stringContaining('no: Bearer ***') })
    expect(inspect(error)).not.toContain(key)
    echo.closeAllConnections()
    echo.close()
  })

  test('on another machine without encryption is said to be so, with the key where there is one', async () => {
    const url = 'http://embed.invalid/v1'
    const message = 'http://embed.invalid/v1 is not encrypted: anyone on the way can read the texts'
    const dryRun = { dryRun: true }
    expect((await embed(dryRun, { url })).warnings).toEqual([{ code: 'unencrypted', message }])
    expect((await embed(dryRun, { url, key: 'k' })).warnings).toMatchObject([{ message: `${message} and the key` }])
    expect((await embed(dryRun)).warnings).toEqual([])
  })

  test.each([
    [{ url: 'https://me:s3cret@embed.invalid/v1' }, 'is not the address of a server that embeds'],
    [{ url: 'https://embed.invalid/v1?api_key=s3cret' }, 'is not the address of a server that embeds'],
    [{ key: 's3cret\n' }, 'has characters that no key has'],
    [{ key: 'Bearer s3cret' }, 'has characters that no key has'],
    [{ key: 's3cret…' }, 'has characters that no key has'],
  ])('given by %j is refused without a word of it', async (others, message) => {
    const error = await embed({}, others).catch((error) => error)
    expect(error).toMatchObject({ code: 'BAD_EMBEDDING', message: expect.stringContaining(message) })
    expect(inspect(error)).not.toContain('s3cret')
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
