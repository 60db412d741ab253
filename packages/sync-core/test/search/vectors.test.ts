import { type Embed, type EmbeddingServer, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { embedSource, type SearchOptions, search } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

/** A vector by the number that a text ends with: of the question 0, and the larger the further from it. */
const byNumber: Embed = async (texts) =>
  texts.map((text) => {
    const angle = Number(/(\d*)\W*$/.exec(text)![1]) / 1_000
    return [Math.cos(angle), Math.sin(angle)]
  })

let server: EmbeddingServer
let world: TestWorld
beforeEach(async () => {
  server = await serveEmbeddings(byNumber)
  world = await testWorld({ engine: 'pglite' })
})
afterEach(async () => {
  await server.close()
  await world[Symbol.asyncDispose]()
})

const QUESTION = 'quokka'

async function fill(id: string, files: Record<string, string>) {
  await world.repository.commit(files)
  await world.sync({ id })
  await embedSource(world.db, id, { url: server.url, model: 'm' })
}

async function found(options: SearchOptions) {
  const { hits } = await search(world.db, QUESTION, { embedding: { url: server.url, model: 'm' }, ...options })
  return hits.map(({ source, path, ranks }) => `${source}/${path} ${ranks.text} ${ranks.vector}`)
}

describe('a search by meaning', () => {
  test('goes by vectors alone, or by words too, or by words alone', async () => {
    await fill('docs', { 'far.md': 'A quokka 9', 'near.md': 'An animal 1' })
    expect(await found({ mode: 'vector' })).toEqual(['docs/near.md null 1', 'docs/far.md null 2'])
    expect(await found({ mode: 'hybrid' })).toEqual(['docs/far.md 1 2', 'docs/near.md null 1'])
    expect(await found({ mode: 'text' })).toEqual(['docs/far.md 1 null'])
  })

  test('finds what is nearest in the sources that are named, however much is nearer in others', async () => {
    const nearer = Array.from({ length: 120 }, (_, i) => [`${i}.md`, `Nearer ${i + 1}`])
    await fill('other', Object.fromEntries(nearer))
    await fill('docs', { 'a.md': 'Far 900', 'b.md': 'Farther 901' })
    expect(await found({ mode: 'vector', sources: ['docs'] })).toEqual(['docs/a.md null 1', 'docs/b.md null 2'])
    expect(await found({ mode: 'vector', limit: 2 })).toEqual(['other/0.md null 1', 'other/1.md null 2'])
  })

  test('gives as many pages as are asked for, where there are more than it fuses otherwise', async () => {
    await fill('docs', Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`${i}.md`, `Text ${i + 1}`])))
    expect(await found({ mode: 'vector', limit: 60 })).toHaveLength(60)
  })
})
