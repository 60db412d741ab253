import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '@tidemark/test-engines'
import { serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { startSilentProxy } from '@tidemark/test-engines/silent-proxy'
import { freshVectorDatabase } from '@tidemark/test-engines/vector-database'
import { expect, test } from 'vitest'
import { embedSource, migrate, openDatabase, syncSource } from '../../src/index.ts'
import { emptyRepository } from '../world/test-repository.ts'

const RUN = fileURLToPath(new URL('../world/run-embed.ts', import.meta.url))
const CHUNKS = 120
const BATCH = 4

test('embedding that is killed again and again is complete in the end, with at most a batch a kill asked for twice', {
  timeout: 240_000,
}, async () => {
  const random = seededRandom(5)
  const database = await freshDatabase('pglite')
  const server = await serveEmbeddings()
  const repository = await emptyRepository()
  await repository.commit(
    Object.fromEntries(Array.from({ length: CHUNKS }, (_, i) => [`${i}.md`, `Text number ${i}.`])),
  )
  const setup = await openDatabase(database.url)
  await migrate(setup)
  await syncSource(setup, { id: 'docs', repo: repository.folder, ref: 'main' })
  await setup.close()

  let result = null
  let kills = 0
  // A machine that stalls for longer than a lease makes a run partial too.
  for (; result === null || result.status === 'partial'; kills++) {
    const run = spawn(process.execPath, [RUN, database.url, server.url, String(BATCH)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = text(run.stdout)
    const exited = once(run, 'exit')
    await Promise.race([server.requested(), exited])
    await Promise.race([sleep(random() * 300), exited])
    run.kill('SIGKILL')
    await exited
    result = JSON.parse((await said) || 'null')
  }

  expect(kills).toBeGreaterThan(1)
  expect(result).toMatchObject({ status: expect.stringMatching(/synced|up_to_date/), chunksRemaining: 0 })
  const counts = [...server.embedded.values()]
  expect(counts).toHaveLength(CHUNKS)
  expect(counts.reduce((sum, count) => sum + count, 0) - CHUNKS).toBeLessThanOrEqual(kills * BATCH)
  const db = await openDatabase(database.url)
  const { rows } = await db.query(`SELECT count(*)::integer AS embeddings,
    (SELECT count(DISTINCT content_hash)::integer FROM tidemark.chunks) AS texts FROM tidemark.embeddings`)
  expect(rows).toEqual([{ embeddings: CHUNKS, texts: CHUNKS }])
  await db.close()
  await server.close()
  await database.drop()
  repository.remove()
})

test('embedding whose connections are cut again and again goes on by itself, and asks for each text once', {
  timeout: 120_000,
}, async () => {
  const database = await freshVectorDatabase()
  await using proxy = await startSilentProxy(database.url)
  const server = await serveEmbeddings()
  const repository = await emptyRepository()
  await repository.commit(
    Object.fromEntries(Array.from({ length: CHUNKS }, (_, i) => [`${i}.md`, `Text number ${i}.`])),
  )
  const db = await openDatabase(proxy.url)
  await migrate(db)
  await syncSource(db, { id: 'docs', repo: repository.folder, ref: 'main' })
  let answers = 0
  const cut = () => {
    if (++answers % 5 > 0) return
    proxy.cut()
    proxy.speak()
  }
  const embedding = { url: server.url, model: 'm', batchSize: BATCH }
  const result = await embedSource(db, 'docs', embedding, { budgetMs: 60_000, onProgress: cut })
  expect(result).toMatchObject({ status: 'synced', chunksEmbedded: CHUNKS, chunksRemaining: 0 })
  expect([...server.embedded.values()]).toEqual(Array(CHUNKS).fill(1))
  await db.close()
  await database.drop()
  await server.close()
  repository.remove()
})
