import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Database,
  type Embedding,
  type EmbedOptions,
  type EmbedResult,
  embedSource,
  migrate,
  openDatabase,
  syncSource,
} from '@tidemark/sync-core'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { type EmbeddingServer, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { emptyRepository } from '../../../sync-core/test/world/test-repository.ts'
import { embedTable, logEmbedResult } from '../../src/commands/embed.ts'
import { resultAnnotations } from '../../src/runner/annotations.ts'
import { showResults } from '../../src/runner/run-step.ts'

const TEXTS = 40
const KEY = 'k3y-of-the-embedder'

const home = mkdtempSync(join(tmpdir(), 'tidemark-summary-'))
const summaryFile = join(home, 'summary')
const repository = await emptyRepository()
let database: FreshDatabase
let server: EmbeddingServer
let db: Database
let set = 0

beforeAll(async () => {
  vi.stubEnv('GITHUB_STEP_SUMMARY', summaryFile)
  server = await serveEmbeddings()
  database = await freshDatabase('pglite')
  db = await openDatabase(database.url)
  await migrate(db)
  const pages = Array.from({ length: TEXTS }, (_, i) => [`${i}.md`, `Text number ${i}.`])
  await repository.commit(Object.fromEntries(pages))
  await syncSource(db, { id: 'docs', repo: repository.folder, ref: 'main' })
})
beforeEach(() => {
  server.refuse = null
  set++
})
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
  await db.close()
  await database.drop()
  await server.close()
  repository.remove()
})

/** Embeds the 40 texts of `docs` anew. */
const embed = (options: EmbedOptions = {}, others: Partial<Embedding> = {}): Promise<EmbedResult> =>
  embedSource(db, 'docs', { url: server.url, key: KEY, model: `m${set}`, batchSize: 10, ...others }, options)

/** What stands in the log and in the summary of a job that ended like this. */
async function told(result: EmbedResult): Promise<{ log: string; summary: string }> {
  writeFileSync(summaryFile, '')
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  logEmbedResult(result)
  await showResults([result], embedTable)
  write.mockRestore()
  return { log: written.join(''), summary: readFileSync(summaryFile, 'utf8') }
}

test('a source that was embedded is told with how many texts and tokens, and needs no one', async () => {
  const result = await embed()
  expect(resultAnnotations(result)).toEqual([])
  const { log, summary } = await told(result)
  expect(log).toContain('::group::docs: synced\n')
  expect(log).toContain(`40 texts embedded by m${set}; 0 texts left\n`)
  expect(log).toMatch(/: 4 requests, 40 tokens\n::endgroup::\n$/)
  expect(summary).toContain('<td>docs</td><td>synced</td><td>40</td><td>0</td><td>40</td>')
})

test('one that was stopped is told with what is left, and about how many runs more that takes', async () => {
  const stop = new AbortController()
  const result = await embed({ signal: stop.signal, onProgress: () => stop.abort() }, { concurrency: 1, batchSize: 15 })
  expect(resultAnnotations(result)).toEqual([
    {
      level: 'notice',
      title: 'docs: partial (cancelled)',
      message:
        '25 texts are left, about 2 more runs like this one. What is in stays in; the next run goes on from there.',
    },
  ])
  expect((await told(result)).summary).toContain(
    '<td>docs</td><td>partial (cancelled)</td><td>15</td><td>25</td><td>15</td>',
  )
})

test('texts that the server refuses are a warning that says where they are, beside what was embedded', async () => {
  server.refuse = (text) => text === 'Text number 7.'
  const result = await embed()
  const [step, ...others] = resultAnnotations(result)
  expect(others).toEqual([])
  expect(step).toMatchObject({ level: 'warning', title: 'docs: 1 text was refused' })
  const why = step!.message.split('Why: ')[1]!
  const { rows } = await db.query(why)
  expect(rows).toEqual([{ model: `m${set}`, message: expect.stringContaining('that text is too much') }])
  const { log, summary } = await told(result)
  expect(log).toContain('39 texts embedded by')
  expect(log).toContain(', 1 refused; 0 texts left\n')
  expect(summary).toContain('docs: 1 text was refused')
})

test('a server that refuses most texts is an error that says what to run once they are fixed', async () => {
  server.refuse = (text) => text !== 'tidemark'
  const result = await embed({}, { batchSize: 1 })
  expect(resultAnnotations(result)[0]).toMatchObject({
    level: 'error',
    title: 'docs: blocked_by_failures',
    message: expect.stringMatching(
      /texts were refused: .* the Action with source: docs, embed: true, retry-quarantined: true$/,
    ),
  })
})

test('a server that does not take the key is an error with what to do, which does not hold the key', async () => {
  server.faults.push(...Array.from({ length: 4 }, () => ({ status: 401 })))
  const result = await embed()
  server.faults.length = 0
  expect(resultAnnotations(result)).toMatchObject([
    {
      level: 'error',
      title: 'docs: failed (embedding_refused)',
      message: expect.stringMatching(/refuses the key \(401\).*Set "key" under "embedding"/s),
    },
  ])
  const { log, summary } = await told(result)
  expect(log).toContain('refuses the key')
  expect(log + summary + JSON.stringify(result)).not.toContain(KEY)
})

test('a source that another process embeds is told with who that is', async () => {
  const held = await db.locks.tryAcquire('embed:docs')
  const result = await embed()
  if (held.acquired) await held.lease.release()
  expect(resultAnnotations(result)).toMatchObject([
    { level: 'warning', title: 'docs: busy', message: expect.stringContaining('being embedded by process ') },
  ])
})
