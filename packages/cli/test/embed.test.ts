import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { type EmbeddingServer, serveEmbeddings, withoutMeaning } from '@tidemark/test-engines/embedding-server'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'
import { runInTerminal } from './world/terminal.ts'

let server: EmbeddingServer
let world: CliWorld
let synced: FreshDatabase
let served: number
// The Postgres of the tests has no pgvector. What a sync makes is made once: each command opens the database anew.
beforeAll(async () => {
  synced = await freshDatabase('pglite')
  using first = await cliWorld()
  first.write('tidemark.yaml', `sources: ${SOURCES}`)
  await first.run('sync --all', { DATABASE_URL: synced.url })
})
afterAll(() => synced.drop())
beforeEach(async () => {
  served = Number.POSITIVE_INFINITY
  server = await serveEmbeddings((texts) =>
    server.requestedAt.length > served ? new Promise(() => {}) : withoutMeaning(texts),
  )
  world = await cliWorld()
  await cp(synced.url, database(), { recursive: true })
})
afterEach(async () => {
  await server.close()
  world[Symbol.dispose]()
})

const SOURCES = '{ docs: { repo: docs }, copy: { repo: docs } }'
const database = () => join(world.folder, 'synced')
const KEY = 'sk-hunter2'

/** Writes a configuration of `docs` and `copy`, three pages each, and of who embeds them. */
function configure(more = '') {
  world.write(
    'tidemark.yaml',
    `embedding: { url: "${server.url}", model: m, batchSize: 1, concurrency: 1${more} }
sources: ${SOURCES}`,
  )
}

const env = () => ({ DATABASE_URL: database(), KEY })
const run = (args: string) => world.run(args, env())
const readResults = ({ stdout }: { stdout: string }) => JSON.parse(stdout).results
const texts = () => [...server.embedded.entries()].sort()
const ONCE = [
  ['# a', 1],
  ['# b', 1],
  ['# c', 1],
]

describe('tidemark embed', { timeout: 120_000 }, () => {
  test('embeds each text once, tells of each source in a table, and then has nothing to do', async () => {
    configure()
    const first = await run('embed --all')
    expect(first).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^source +status +embedded +set aside +left +tokens +time\ndocs +synced +3 +0 +0 +3 +\S+s\ncopy +up_to_date +0 +0 +0 +0 /,
      ),
    })
    expect(first.stderr).toMatch(/^\S+Z docs: embedding 3 chunks\n\S+Z docs {2}synced, 3 chunks embedded in /)
    expect(texts()).toEqual(ONCE)
    expect(readResults(await run('embed --source docs --json'))).toMatchObject([{ status: 'up_to_date', requests: 0 }])
  })

  test('stops each source in its budget as partial, and the next one goes on from there', async () => {
    configure()
    served = 1
    const stopped = await run('embed --all --timeout 10s --json')
    expect(stopped.exitCode).toBe(0)
    expect(readResults(stopped)).toMatchObject([
      { source: 'docs', status: 'partial', reason: 'timeout', chunksEmbedded: 1, chunksRemaining: 2 },
      { source: 'copy', status: 'partial', reason: 'timeout', chunksEmbedded: 0, chunksRemaining: 2 },
    ])
    served = Number.POSITIVE_INFINITY
    expect(readResults(await run('embed --all --json'))).toMatchObject([
      { status: 'synced', chunksEmbedded: 2 },
      { status: 'up_to_date' },
    ])
    expect(texts()).toEqual(ONCE)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops as partial on %s with exit code %i, and what was embedded is kept', async (signal, code) => {
    configure()
    served = 1
    const running = world.start('embed --all --gc --json', env())
    await server.requested()
    await server.requested()
    running.kill(signal)
    const ended = await running
    expect(ended.exitCode).toBe(code)
    expect(JSON.parse(ended.stdout)).toEqual({
      version: 1,
      results: [
        expect.objectContaining({ status: 'partial', reason: 'cancelled', chunksEmbedded: 1 }),
        expect.objectContaining({ status: 'partial', reason: 'cancelled', chunksEmbedded: 0 }),
      ],
    })
    served = Number.POSITIVE_INFINITY
    expect(readResults(await run('embed --all --json'))).toMatchObject([
      { status: 'synced', chunksEmbedded: 2 },
      { status: 'up_to_date' },
    ])
    expect(texts()).toEqual(ONCE)
  })

  test('lets one source fail without stopping another, exits 1, and shows the key nowhere', async () => {
    configure(', key: "${KEY}"')
    server.faults.push({ status: 401 })
    const failed = await run('embed --all --verbose')
    expect(failed).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/docs +failed \(embedding_refused\) .*\ncopy +synced +3 /),
    })
    expect(failed.stderr).toContain('refuses the key (401)')
    server.faults.push({ status: 403 })
    const told = [failed, await run('embed --all --json --model other'), await run('doctor --verbose')]
    for (const { stdout, stderr } of told) expect(stdout + stderr).not.toContain(KEY)
    expect(told[2]!.stdout).toMatch(/✓ embedding: m; .* has pgvector/)
    expect(server.keys.every((sent) => sent === `Bearer ${KEY}`)).toBe(true)
  })

  test('sets aside what the server refuses, and tries it again when it is told to', async () => {
    configure()
    server.refuse = (text) => text === '# b'
    const some = await run('embed --source docs')
    expect(some).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/docs +synced +2 +1 +0 /) })
    expect(some.stderr).toContain(
      'docs: 1 text was refused, the rest is in\n  Why: SELECT model, message FROM tidemark.embedding_quarantine',
    )
    server.refuse = null
    expect(readResults(await run('embed --source docs --json'))).toMatchObject([{ status: 'up_to_date' }])
    expect(readResults(await run('embed --source docs --retry-quarantined --json'))).toMatchObject([
      { status: 'synced', chunksEmbedded: 1 },
    ])
  })

  test('of a dry run tells chunks, tokens and cost, asks no one and makes no database', async () => {
    configure(', pricePerMillionTokens: 1000')
    const nowhere = await world.run('embed --all --dry-run', { DATABASE_URL: undefined })
    expect(nowhere).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/docs +dry_run +0 +≈ 0 /) })
    expect(nowhere.stderr).toContain('docs: it has not been synced yet; first run: tidemark sync --source docs')
    expect(existsSync(join(world.folder, '.tidemark'))).toBe(false)
    expect((await run('embed --source docs --dry-run')).stdout).toMatch(
      /^source +status +chunks +tokens +cost\ndocs +dry_run +3 +≈ 3 +≈ 0\.0030$/,
    )
    // What one model costs says nothing of another.
    expect((await run('embed --source docs --dry-run --model other')).stdout).toMatch(
      /^source +status +chunks +tokens\ndocs +dry_run +3 +≈ 3$/,
    )
    expect(server.requestedAt).toEqual([])
  })

  test('with --gc removes what nothing needs any more, alone or after embedding', async () => {
    configure()
    await run('embed --all')
    const next = await run('embed --all --model next --gc')
    expect(next.stdout).toContain('Removed 3 embeddings that nothing needs any more, among them all of m.')
    world.write('docs/c.md', '# changed')
    await world.commit('docs')
    await run('sync --all')
    expect((await run('embed --gc --dry-run --model next')).stdout).toBe(
      'Would remove 1 embeddings that nothing needs any more.',
    )
    expect(JSON.parse((await run('embed --gc --json --model next')).stdout)).toEqual({
      version: 1,
      results: [],
      collected: { embeddings: 1, models: [] },
    })
  })

  test('shows on a terminal how far it is', async () => {
    configure()
    served = 1
    const terminal = runInTerminal(world, 'embed --all', { env: env() })
    await terminal.shows(/^docs {2}embedding 1\/3 {2}\d+ chunks\/s, \S+s left$/)
    terminal.type('\u0003')
    const { exitCode, screen } = await terminal.ended()
    expect(exitCode).toBe(130)
    expect(screen).toMatch(/docs +partial \(cancelled\) +1 /)
  })

  test('of a Postgres without pgvector says what to install, as doctor does', async () => {
    configure()
    const elsewhere = { DATABASE_URL: world.database }
    await world.run('sync --source docs', elsewhere)
    const embed = await world.run('embed --source docs', elsewhere)
    expect(embed).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/docs +failed \(vector_missing\)/),
      stderr: expect.stringMatching(/has no pgvector, .*\n {2}Install it on the server.*pgvector.* and run this again/),
    })
    expect(await world.run('doctor', elsewhere)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/✗ embedding: .* has no pgvector, .*\n {2}Install it on the server.*pgvector/),
    })
  })
})
