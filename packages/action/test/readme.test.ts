import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
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
})
