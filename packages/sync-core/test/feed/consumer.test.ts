import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '@tidemark/test-engines'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { expect, test } from 'vitest'
import { migrate, openDatabase, pruneChanges, syncSource } from '../../src/index.ts'
import { emptyRepository } from '../world/test-repository.ts'

const SYNC = fileURLToPath(new URL('../world/run-sync.ts', import.meta.url))
const CONSUMER = fileURLToPath(new URL('../../../../examples/consumer/keep-index.mjs', import.meta.url))

/** What the example needs of Meilisearch. */
async function serveIndex() {
  const indexes = new Map<string, Map<string, any>>()
  const requests = new EventEmitter()
  const server = createServer(async (request, response) => {
    const [, name = '', last = ''] = /^\/indexes\/([^/]+)\/documents(?:\/([^?]*))?/.exec(request.url!) ?? []
    if (!indexes.has(name)) indexes.set(name, new Map())
    const documents = indexes.get(name)!
    const body = await text(request)
    if (request.method === 'POST') requests.emit('write')
    if (request.method === 'DELETE') documents.clear()
    else if (last === 'delete-batch') for (const id of JSON.parse(body)) documents.delete(id)
    else if (request.method === 'POST') for (const document of JSON.parse(body)) documents.set(document.id, document)
    const found = request.method === 'GET' ? documents.get(last) : {}
    response.writeHead(found ? 200 : 404).end(JSON.stringify(found ?? {}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    /** Resolves when the next document is about to be written. */
    written: () => once(requests, 'write'),
    pages: () => [...(indexes.get('docs')?.values() ?? [])].sort((a, b) => Number(a.id) - Number(b.id)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

// Two minutes where large repositories are there to be tested with, as each night.
const KILLS = process.env.TIDEMARK_CORPORA ? 200 : 60

test(`the consumer of the examples and the syncs that it follows are killed ${KILLS} times, and its index is equal to the mirror`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(7)
  await using index = await serveIndex()
  const { url, drop } = await freshDatabase('postgres')
  const db = await openDatabase(url)
  await migrate(db)
  const repository = await emptyRepository()
  const locks = { ttlMs: 600, heartbeatMs: 120, marginMs: 120 }
  const options = JSON.stringify({ locks, search: false, waitMs: 20_000, allowMassDelete: true })
  const startSync = () =>
    spawn(process.execPath, [SYNC, url, repository.folder, options], { stdio: ['ignore', 'pipe', 'ignore'] })
  const startConsumer = () =>
    spawn(process.execPath, [CONSUMER, 'docs'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DATABASE_URL: url, MEILI_URL: index.url },
    })
  /** Kills it soon after it has done something, for half of the times and as long as is asked. */
  const killOften = async <Child extends ChildProcess>(
    start: () => Child,
    acted: (child: Child) => Promise<unknown>,
    goesOn = () => false,
  ) => {
    for (let n = 0; n < KILLS / 2 || goesOn(); n++) {
      const child = start()
      const ended = once(child, 'exit')
      await Promise.race([acted(child), ended])
      await sleep(random() * 40)
      child.kill('SIGKILL')
      await ended
    }
  }
  const files = new Map<string, string>()
  const over = new AbortController()
  const commitOften = async () => {
    for (let round = 0; !over.signal.aborted; round++) {
      for (let n = 0; n < 60; n++) {
        const [path, other] = [`p${Math.floor(random() * 400)}.md`, `p${Math.floor(random() * 400)}.md`]
        const content = files.get(path)
        if (content !== undefined && random() < 0.3) files.delete(path)
        if (content !== undefined && random() < 0.3) files.set(other, content)
        else if (random() < 0.7) files.set(path, `# ${path} ${round}\n\n${random()}`)
      }
      await repository.commit(Object.fromEntries(files))
      // Some find their cursor expired.
      if (round % 10 === 9) await pruneChanges(db, 'docs', 0)
    }
  }
  const committing = commitOften()
  // One that follows nobody writes nothing more.
  let following = true
  const consumersKilled = killOften(startConsumer, async () => {
    for (let n = Math.floor(random() * 5); n >= 0; n--) await index.written()
  }).finally(() => {
    following = false
  })
  const syncsKilled = killOften(
    startSync,
    ({ stdout }) => once(stdout, 'data'),
    () => following,
  )
  await Promise.all([consumersKilled, syncsKilled])
  over.abort()
  await committing

  const consumer = startConsumer()
  const source = { id: 'docs', repo: repository.folder, ref: 'main' }
  await syncSource(db, source, { search: false, waitMs: 20_000, allowMassDelete: true })
  const mirrored = 'SELECT id, path, title, content FROM tidemark.pages ORDER BY id'
  const { rows } = await db.query(mirrored)
  expect(rows.map(({ path }) => path).sort()).toEqual([...files.keys()].sort())
  await expect.poll(index.pages, { timeout: 30_000 }).toEqual(rows)
  // And goes on from there.
  await repository.commit({ 'last.md': '# Last' })
  await syncSource(db, source, { search: false, allowMassDelete: true })
  await expect.poll(index.pages, { timeout: 30_000 }).toMatchObject([{ path: 'last.md' }])

  consumer.kill('SIGKILL')
  await db.close()
  await drop()
  repository.remove()
})
