import { readFileSync } from 'node:fs'
import { type GitServer, serveGit } from '@tidemark/test-engines/git-server'
import { startSilentProxy } from '@tidemark/test-engines/silent-proxy'
import { describe, expect, test } from 'vitest'
import type { RunResult } from './runner/github.ts'
import { heldBack, isFree } from './world/action-world.ts'
import { PACKAGE } from './world/runner.ts'
import { type WavesWorld, wavesWorld } from './world/waves.ts'

const readme = readFileSync(`${PACKAGE}/README.md`, 'utf8')
const recipes = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!)

// The example's workflow and through it the reusable one, from its schedule to its last post step.

/** A world with a source of each name, of one page; the commits they are at. */
async function worldWith(...names: string[]) {
  const world = await wavesWorld()
  const refs: Record<string, string> = {}
  for (const name of names) refs[name] = await world.commit(name, { 'a.md': `# ${name}` })
  world.configure(Object.fromEntries(names.map((name) => [name, { repo: `./${name}` }])))
  return { world, refs, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

/** How the jobs have ended that were not skipped. */
const conclusions = ({ jobs }: RunResult) =>
  Object.fromEntries(
    jobs.filter(({ conclusion }) => conclusion !== 'skipped').map(({ name, conclusion }) => [name, conclusion]),
  )

/** What the page of a run shows of what went wrong. */
const errors = ({ jobs }: RunResult) =>
  jobs.flatMap(({ annotations }) => annotations.filter(({ level }) => level === 'error').map(({ message }) => message))

/** Runs of one source that have overlapped. */
async function overlaps({ pool }: WavesWorld) {
  const { rows } = await pool.query(`SELECT a.source_id FROM tidemark.runs a JOIN tidemark.runs b
    ON a.source_id = b.source_id AND a.id < b.id AND b.started_at < coalesce(a.finished_at, 'infinity')`)
  return rows
}

/** A wave that is cancelled when its only source, which that server has, is in that phase. */
async function cancelledWhile(phase: string, world: WavesWorld, server: GitServer): Promise<RunResult> {
  if (phase === 'fetching') {
    const run = world.start()
    await run.reached('mirror / plan', 'ended')
    // What asks for the ref is answered, what asks for its commit is not.
    Object.assign(server, { mood: 'hang', requestsBefore: 2 })
    await expect.poll(() => server.requestsBefore, { timeout: 30_000 }).toBeLessThan(0)
    run.cancel()
    const cancelled = await run.ended
    server.mood = 'serve'
    return cancelled
  }
  await using held = await heldBack(world, phase === 'indexing' ? 'search_chunks' : 'chunks')
  const run = world.start()
  await held.waiting()
  run.cancel()
  return await run.ended
}

describe('a wave', { timeout: 120_000 }, () => {
  test('brings each source to its ref in a job of its own; the next has nothing to do, and a person may name one', async () => {
    await using given = await worldWith('docs', 'wiki')
    const { world, refs } = given
    const first = await world.wave()
    expect(conclusions(first)).toEqual({
      'mirror / plan': 'success',
      'mirror / docs': 'success',
      'mirror / wiki': 'success',
      'mirror / summary': 'success',
    })
    expect(first.conclusion).toBe('success')
    expect(await world.bookmarks()).toEqual(refs)
    expect(await world.unindexed()).toEqual([])
    expect(first.job('mirror / docs').group).toBe('Mirror-tidemark-sync-docs')
    expect(first.job('mirror / docs').summary).toMatch(/docs<.*first.sync/)
    expect(first.job('mirror / summary').outputs.behind).toBe('[]')
    expect(first.job('mirror / docs').steps.at(-1)).toMatchObject({
      name: expect.stringMatching(/^Post /),
      conclusion: 'success',
    })

    const nothing = await world.wave()
    expect(nothing.conclusion).toBe('success')
    expect(nothing.job('mirror / plan').conclusion).toBe('success')
    expect(nothing.job('mirror / sync').conclusion).toBe('skipped')

    const byHand = await world.wave({ event: 'workflow_dispatch', inputs: { source: 'docs' } })
    expect(byHand.conclusion).toBe('success')
    expect(conclusions(byHand)).toMatchObject({ 'mirror / docs': 'success' })
    expect(Object.keys(conclusions(byHand))).not.toContain('mirror / wiki')
    expect(byHand.job('mirror / summary').summary).toContain('<td>docs</td><td>up to date</td>')

    const decided = await world.wave({ event: 'workflow_dispatch', inputs: { source: 'docs', full: true } })
    expect(decided.conclusion).toBe('success')
    const { rows } = await world.pool.query(
      `SELECT counts -> 'filesUpdated' AS updated FROM tidemark.runs ORDER BY id DESC LIMIT 1`,
    )
    expect(rows).toEqual([{ updated: 1 }])
    const forAll = await world.wave({ event: 'workflow_dispatch', inputs: { full: true } })
    expect(forAll.job('mirror / plan')).toMatchObject({ conclusion: 'failure' })
  })

  test('in which one source fails is red for that one only, and says which is behind', async () => {
    await using given = await worldWith('docs', 'wiki')
    const { world, refs } = given
    world.configure({ gone: { repo: './gone' }, docs: { repo: './docs' }, wiki: { repo: './wiki' } })
    const example = await world.wave()
    expect(example.conclusion).toBe('failure')
    expect(conclusions(example)).toEqual({
      'mirror / plan': 'success',
      'mirror / gone': 'failure',
      'mirror / docs': 'success',
      'mirror / wiki': 'success',
      'mirror / summary': 'success',
    })
    expect(await world.bookmarks()).toMatchObject(refs)
    expect(example.job('mirror / summary').outputs.behind).toBe('["gone"]')
    expect(example.job('mirror / gone').annotations).toContainEqual({
      level: 'error',
      title: expect.stringContaining('gone'),
      message: expect.stringContaining('gone'),
    })
  })

  test.each([
    ['fetching', 'sync'],
    ['writing pages', 'sync'],
    ['indexing', 'search'],
  ])('that is cancelled while %s leaves no lease, and the next goes on to the end', async (phase, lease) => {
    await using world = await wavesWorld()
    await world.vite('vite.git')
    await using server = await servedGit(`${world.folder}/vite.git`)
    world.configure({ vite: { repo: server.url, ref: 'main' } })
    await world.run({ uses: 'plan', with: { config: 'caller/tidemark.yaml' } })
    const cancelled = await cancelledWhile(phase, world, server)
    expect(cancelled.conclusion).toBe('cancelled')
    const { steps, annotations } = cancelled.job('mirror / vite')
    expect(annotations.map(({ title }) => title)).toContainEqual(expect.stringContaining('vite: '))
    expect(steps.find(({ id }) => id === 'sync')!.conclusion).toBe('cancelled')
    expect(steps.at(-1)).toMatchObject({ name: expect.stringMatching(/^Post /), conclusion: 'success' })
    expect(await isFree(world, 'vite', lease)).toBe(true)

    const next = await world.wave()
    expect(next.conclusion).toBe('success')
    expect(conclusions(next)).toMatchObject({ 'mirror / vite': 'success' })
    expect(await world.bookmarks()).toEqual({ vite: await world.git('vite.git').revparse('main') })
    expect(await world.unindexed()).toEqual([])
    expect(await overlaps(world)).toEqual([])
  })

  test('that two more overlap is cancelled by none, nor cancels one, and all is in at the end', async () => {
    await using world = await wavesWorld()
    await world.vite('vite.git')
    const refs: Record<string, string> = { vite: await world.git('vite.git').revparse('main') }
    for (const name of ['docs', 'wiki']) refs[name] = await world.commit(name, { 'a.md': `# ${name}` })
    world.configure({ vite: { repo: './vite.git', ref: 'main' }, docs: { repo: './docs' }, wiki: { repo: './wiki' } })
    await world.run({ uses: 'plan', with: { config: 'caller/tidemark.yaml' } })
    const held = await heldBack(world)
    const first = world.start()
    await held.waiting()
    const second = world.start()
    await second.reached('mirror / plan', 'ended')
    refs.docs = await world.commit('docs', { 'b.md': '# more' })
    const third = world.start()
    await third.reached('mirror / plan', 'ended')
    await held[Symbol.asyncDispose]()
    const waves = await Promise.all([first, second, third].map(({ ended }) => ended))
    expect(waves.map(({ conclusion }) => conclusion)).toEqual(['success', 'success', 'success'])
    expect((await world.wave()).conclusion).toBe('success')
    expect(await world.bookmarks()).toEqual(refs)
    expect(await world.unindexed()).toEqual([])
    expect(await overlaps(world)).toEqual([])
  })

  test('of 300 new sources has 256 jobs; one that is cancelled keeps what is in, and the next plans the others', async () => {
    await using world = await wavesWorld()
    await world.commit('docs', { 'a.md': '# A' })
    const names = Array.from({ length: 300 }, (_, i) => `s${i}`)
    world.configure(Object.fromEntries(names.map((name) => [name, { repo: './docs' }])))
    const plannedBy = async (endOf: string) => {
      const run = world.start()
      await run.reached(endOf, 'ended')
      run.cancel()
      const cancelled = await run.ended
      expect(cancelled.conclusion).toBe('cancelled')
      expect(cancelled.jobs.filter(({ conclusion }) => conclusion === 'failure')).toEqual([])
      const { include } = JSON.parse(cancelled.job('mirror / plan').outputs.matrix!)
      return include.map(({ sources }: { sources: string }) => sources.split(' '))
    }
    const first = await plannedBy('mirror / s0 and 1 more')
    expect(first).toHaveLength(256)
    expect(first.flat().sort()).toEqual([...names].sort())
    const next: string[][] = await plannedBy('mirror / plan')
    expect(next).toHaveLength(256)
    expect(next.flat()).not.toContain('s0')
    expect(next.flat()).toContain('s299')
  })

  test('that embeds gives each source what it needs; neither an embedding nor a sync that fails keeps others from theirs', async () => {
    await using given = await worldWith('docs', 'wiki')
    const { world, refs } = given
    world.configure(
      { gone: { repo: './gone' }, docs: { repo: './docs' }, wiki: { repo: './wiki' } },
      { url: 'http://127.0.0.1:9/v1', model: 'm', key: '${EMBEDDING_KEY:-}' },
    )
    const [embeds] = recipes.filter((text) => text.includes('embed: true') && text.startsWith('jobs:'))
    const workflow = world.workflow(`on: { workflow_dispatch: { inputs: { source: { type: string } } } }\n${embeds}`)
    const secrets = { DATABASE_URL: world.database, OPENAI_API_KEY: 'k3y-of-the-embedder' }
    const wave = await world.wave({ workflow, event: 'workflow_dispatch', secrets })
    expect(await world.bookmarks()).toMatchObject(refs)
    expect(wave.job('mirror / summary').outputs.behind).toContain('"gone"')
    const planned = JSON.parse(wave.job('mirror / plan').outputs.matrix!).include
    expect(planned.map((entry: any) => entry['timeout-minutes'])).toEqual([95, 95, 95])
    for (const name of ['gone', 'docs', 'wiki']) {
      const { steps, annotations } = wave.job(`mirror / ${name}`)
      const [sync, embed] = steps.filter(({ outputs }) => outputs.results !== undefined)
      expect(sync!.outputs.status).toBe(name === 'gone' ? 'failed' : 'first_sync')
      // The Postgres of this test has no pgvector, so each embedding fails.
      expect(JSON.parse(embed!.outputs.results!).results).toMatchObject([
        { source: name, error: { code: 'VECTOR_MISSING' } },
      ])
      expect(JSON.stringify([annotations, steps])).not.toContain('k3y-of-the-embedder')
    }
  })

  test('whose token is also the name of a source is red, and says that GitHub has dropped the plan', async () => {
    await using given = await worldWith('docs')
    const wave = await given.world.wave({
      secrets: { DATABASE_URL: given.world.database, DOCS_READ_TOKEN: 'docs' },
    })
    expect(wave.conclusion).toBe('failure')
    expect(errors(wave).join('\n')).toMatch(/secret/)
  })

  test('without the secret of the database is red, and says what to set', async () => {
    await using given = await worldWith('docs')
    const wave = await given.world.wave({ secrets: {} })
    expect(wave.conclusion).toBe('failure')
    expect(conclusions(wave)).toMatchObject({ 'mirror / plan': 'failure' })
    expect(errors(wave).join('\n')).toMatch(/database-url/)
  })

  test('whose database is away is red and says so, be it from the start or once it is planned', async () => {
    await using given = await worldWith('docs')
    const { world, refs } = given
    await using proxy = await startSilentProxy(world.database)
    const secrets = { DATABASE_URL: proxy.url }
    proxy.cut()
    const away = await world.wave({ secrets })
    expect(away.conclusion).toBe('failure')
    expect(errors(away).join('\n')).toContain('database')

    proxy.speak()
    const run = world.start({ secrets })
    await run.reached('mirror / plan', 'ended')
    proxy.cut()
    const gone = await run.ended
    expect(gone.conclusion).toBe('failure')
    expect(conclusions(gone)).toMatchObject({ 'mirror / plan': 'success', 'mirror / docs': 'failure' })
    expect(
      gone
        .job('mirror / docs')
        .annotations.map(({ message }) => message)
        .join('\n'),
    ).toContain('database')

    proxy.speak()
    expect((await world.wave({ secrets })).conclusion).toBe('success')
    expect(await world.bookmarks()).toEqual(refs)
  })
})

describe('the README', () => {
  test('has a workflow for the push of one repository, which syncs that one', async () => {
    await using given = await worldWith('handbook', 'docs')
    const { world, refs } = given
    const workflow = world.workflow(recipes.find((text) => text.includes('push:'))!)
    expect((await world.wave({ workflow, event: 'push' })).conclusion).toBe('success')
    expect(await world.bookmarks()).toEqual({ handbook: refs.handbook })
  })

  test('has a step that syncs one source by itself', async () => {
    await using given = await worldWith('handbook', 'docs')
    const { world, refs } = given
    const workflow = world.workflow(
      jobOf(recipes.find((text) => text.startsWith('- uses') && text.includes('sync@v1'))!),
    )
    expect((await world.wave({ workflow })).conclusion).toBe('success')
    expect(await world.bookmarks()).toEqual({ handbook: refs.handbook })
  })

  test('has an alert that is red while a source has been behind for hours, and green else', async () => {
    await using given = await worldWith('docs')
    const { world } = given
    const alert = recipes.find((text) => text.includes('status@v1'))!
    const workflow = world.workflow(jobOf(alert))
    await world.wave()
    await world.commit('docs', { 'b.md': '# B' })
    expect((await world.wave({ workflow })).conclusion).toBe('success')
    await world.run({ uses: 'plan', with: { config: 'caller/tidemark.yaml' } })
    await world.pool.query(`UPDATE tidemark.sources SET behind_since = now() - interval '4 hours'`)
    const red = await world.wave({ workflow })
    expect(red.conclusion).toBe('failure')
    expect(red.job('one').steps.at(-1)!.log).toContain('["docs"]')
  })
})

/** A workflow of one job with these steps, after a checkout. */
const jobOf = (steps: string) => `on: workflow_dispatch
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
${steps.replaceAll(/^(?=.)/gm, '      ')}`

/** A git server that is closed with its block. */
async function servedGit(repository: string) {
  const server = await serveGit(repository)
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close() })
}
