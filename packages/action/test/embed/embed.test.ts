import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ActionWorld, actionWorld, heldBackEmbedding, isFree, silentDatabase } from '../world/action-world.ts'

const KEY = 'k3y-of-the-embedder'
const EMBEDDING = { url: 'http://127.0.0.1:9/v1', model: 'm', key: '${EMBEDDING_KEY:-}' }
const env = { EMBEDDING_KEY: KEY }

async function worldWithPages(): Promise<ActionWorld> {
  const world = await actionWorld()
  await world.commit('docs', { 'a.md': '# A\n\nText.' })
  await world.commit('wiki', { 'a.md': '# B\n\nText.' })
  world.configure({ docs: { repo: 'docs' }, wiki: { repo: 'wiki' } }, EMBEDDING)
  return world
}

describe('a step that embeds', () => {
  let world: ActionWorld
  beforeAll(async () => {
    world = await worldWithPages()
    await world.run({ uses: 'sync' })
  })
  afterAll(() => world[Symbol.asyncDispose]())

  test('on a Postgres without pgvector tells of each source what to install, and fails', async () => {
    const ended = await world.run({ uses: 'embed', env })
    expect(ended).toMatchObject({ exitCode: 1, outputs: { status: 'failed', partial: 'false' } })
    expect(JSON.parse(ended.outputs.results!)).toMatchObject({
      version: 1,
      results: [
        { source: 'docs', status: 'failed', error: { code: 'VECTOR_MISSING' } },
        { source: 'wiki', status: 'failed', error: { code: 'VECTOR_MISSING' } },
      ],
    })
    expect(ended.annotations).toMatchObject(
      ['docs', 'wiki'].map((source) => ({
        level: 'error',
        title: `tidemark: ${source} failed (vector_missing)`,
        message: expect.stringMatching(/has no pgvector.*apt install postgresql-\d+-pgvector/),
      })),
    )
    expect(ended.log).toContain('::group::docs: failed (vector_missing)')
    expect(ended.summary).toContain('<td>docs</td><td>failed (vector_missing)</td><td>0</td><td>?</td>')
    expect(await ended.post()).toMatchObject({ exitCode: 0, annotations: [] })
  })

  test('fails only on what it is to fail on, and embeds only the sources that are named', async () => {
    const ended = await world.run({
      with: { command: 'embed', source: 'wiki', 'fail-on': 'never' },
      env,
    })
    expect(ended).toMatchObject({ exitCode: 0, outputs: { status: 'failed' } })
    expect(JSON.parse(ended.outputs.results!).results).toMatchObject([{ source: 'wiki' }])
  })

  test('has its key masked before anything else is printed, and in no output or summary', async () => {
    const ended = await world.run({ uses: 'embed', env })
    expect(ended.log).toContain(`::add-mask::${KEY}\n`)
    const [beforeMasks = ''] = ended.log.split('::add-mask::')
    expect(beforeMasks).toBe('')
    const unmasked = ended.log.replaceAll(/^::add-mask::.*$/gm, '')
    for (const text of [unmasked, ended.summary, ...Object.values(ended.outputs)]) {
      expect(text).not.toContain(KEY)
    }
  })
})

describe('a step that embeds is refused, and nothing is touched,', () => {
  test.each([
    ['where the configuration names no one who embeds', undefined, 'says nothing of who embeds. Add for example'],
    ['where that is no server', { ...EMBEDDING, url: 'nowhere' }, '"nowhere" is not the address of a server'],
  ])('%s', async (_, embedding, message) => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    world.configure({ docs: { repo: 'docs' } }, embedding)
    const ended = await world.run({ uses: 'embed', env })
    expect(ended).toMatchObject({ exitCode: 1, outputs: {} })
    expect(ended.annotations).toMatchObject([{ level: 'error', message: expect.stringContaining(message) }])
    const tables = `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'tidemark'`
    expect((await world.pool.query(tables)).rows).toEqual([{ n: 0 }])
  })
})

describe('a cancelled step that embeds', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends as partial on %s, begins no other source, and its lease is free', async (signal, code) => {
    await using world = await worldWithPages()
    await world.run({ uses: 'sync' })
    await using held = await heldBackEmbedding(world)
    const { child, ended } = world.start({ uses: 'embed', env })
    await held.waiting()
    child.kill(signal)
    const cancelled = await ended
    expect(cancelled).toMatchObject({ exitCode: code, outputs: { status: 'partial', partial: 'true' } })
    expect(JSON.parse(cancelled.outputs.results!).results).toMatchObject([
      { source: 'docs', status: 'partial', reason: 'cancelled', chunksRemaining: 1 },
      { source: 'wiki', status: 'partial', reason: 'cancelled', chunksRemaining: null },
    ])
    expect(cancelled.summary).toContain('<td>docs</td><td>partial (cancelled)</td><td>0</td><td>1</td>')
    expect(await isFree(world, 'docs', 'embed')).toBe(true)
    expect(await cancelled.post()).toMatchObject({ exitCode: 0, annotations: [] })
  })

  test('that was killed leaves its lease to the post step, which gives it up', async () => {
    await using world = await worldWithPages()
    await world.run({ uses: 'sync' })
    const held = await heldBackEmbedding(world)
    const { child, ended } = world.start({ uses: 'embed', env })
    await held.waiting()
    child.kill('SIGKILL')
    const killed = await ended
    expect(killed.signal).toBe('SIGKILL')
    expect(await isFree(world, 'docs', 'embed')).toBe(false)
    await held[Symbol.asyncDispose]()

    const post = await killed.post()
    expect(post.annotations).toMatchObject([{ level: 'notice', message: expect.stringContaining('embed:docs') }])
    expect(await isFree(world, 'docs', 'embed')).toBe(true)
  })

  test('ends at once where the database has not even answered', async () => {
    await using world = await worldWithPages()
    await using silent = await silentDatabase()
    const { child, ended } = world.start({ uses: 'embed', env: { ...env, DATABASE_URL: silent.url } })
    await silent.connected
    child.kill('SIGTERM')
    const cancelled = await ended
    expect(cancelled).toMatchObject({ exitCode: 143, outputs: { status: 'partial', partial: 'true' } })
    expect(JSON.parse(cancelled.outputs.results!)).toMatchObject({
      version: 1,
      results: ['docs', 'wiki'].map((source) => ({ source, status: 'partial', reason: 'cancelled' })),
    })
  })
})
