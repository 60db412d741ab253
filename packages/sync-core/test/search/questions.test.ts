import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serveEmbeddings, withMeaning } from '@tidemark/test-engines/embedding-server'
import { expect, test } from 'vitest'
import { embedSource, type SearchMode, search } from '../../src/index.ts'
import { cloneBundle } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'
import { QUESTIONS } from './questions.ts'

const VITE = join(fileURLToPath(new URL('../../../../demo', import.meta.url)), 'vite.bundle')
const FIRST = 5

test('of 30 questions about the Vite documentation, words and meaning together find the answer to at least 24, and to more than words alone', {
  timeout: 180_000,
}, async () => {
  await using world = await testWorld({ engine: 'pglite', repository: await cloneBundle(VITE) })
  const server = await serveEmbeddings(await withMeaning())
  const embedding = { url: server.url, model: 'universal-sentence-encoder', batchSize: 32 }
  await world.sync({ subpath: 'docs' })
  expect(await embedSource(world.db, 'docs', embedding)).toMatchObject({
    status: 'synced',
    chunksQuarantined: 0,
  })

  const found = async (mode: SearchMode) => {
    const missed: string[] = []
    for (const [question, page] of QUESTIONS) {
      const { hits } = await search(world.db, question, { mode, embedding, limit: FIRST })
      if (!hits.some(({ path }) => path === `docs/${page}`)) missed.push(question)
    }
    return { found: QUESTIONS.length - missed.length, missed }
  }
  const [text, vector, hybrid] = [await found('text'), await found('vector'), await found('hybrid')]
  await server.close()

  const told = JSON.stringify({ text, vector, hybrid }, null, 2)
  expect(hybrid.found, told).toBeGreaterThanOrEqual(24)
  expect(hybrid.found, told).toBeGreaterThan(text.found)
})
