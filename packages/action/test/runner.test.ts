import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isRunning } from '@tidemark/test-engines/processes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseVariables } from './runner/file-commands.ts'
import { createGitHub, type GitHub, type RunOptions } from './runner/github.ts'
import { createMasks } from './runner/masks.ts'
import { expandMatrix } from './runner/matrix.ts'

// What the tests of whole workflows rest on: that the runner they use does what GitHub's does.

let folder: string
let github: GitHub
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-runner-'))
  github = createGitHub({ repositories: { 'me/docs': folder }, timeScale: 0.02 })
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

let number = 0

/** A workflow of these jobs, as a file of its own. */
function workflow(jobs: string, head = 'on: workflow_dispatch'): RunOptions {
  const path = `.github/workflows/w${number++}.yml`
  const indented = jobs.replaceAll(/^/gm, '  ')
  write(path, `${head}\njobs:\n${indented}\n`)
  return { repository: 'me/docs', workflow: path }
}

const steps = (...lines: string[]) => `one:\n  runs-on: x\n  steps:\n${lines.map((line) => `    ${line}\n`).join('')}`

describe('a step', () => {
  test('hands on outputs, variables, a path and a summary by files', async () => {
    const { conclusion, job } = await github.run(
      workflow(`one:
  runs-on: x
  outputs: { all: "\${{ steps.a.outputs.x }}/\${{ env.Y }}" }
  steps:
    - id: a
      run: |
        printf 'x<<END\\n1\\n2=\\nEND\\n' >> "$GITHUB_OUTPUT"
        echo Y=3 >> "$GITHUB_ENV"
        mkdir "$RUNNER_TEMP/bin"; printf '#!/bin/sh\\necho found' > "$RUNNER_TEMP/bin/mine"; chmod +x "$RUNNER_TEMP/bin/mine"
        echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
        echo '# Told' >> "$GITHUB_STEP_SUMMARY"
    - run: mine; echo "$Y"`),
    )
    expect(conclusion).toBe('success')
    expect(job('one')).toMatchObject({ outputs: { all: '1\n2=/3' }, summary: '# Told\n' })
    expect(job('one').steps[1]!.log).toBe('found\n3')
  })

  test('of a name and a delimiter that does not come again is refused', () => {
    expect(() => parseVariables('a<<END\n1\n')).toThrow("Matching delimiter not found 'END'")
    expect(() => parseVariables('nonsense\n')).toThrow("Invalid format 'nonsense'")
    expect(parseVariables('a=b<<c\nx<<E\nE\na=last')).toEqual({ a: 'last', x: '' })
  })

  test('that fails skips those after it, but for those that say always() or failure()', async () => {
    const { conclusion, job } = await github.run(
      workflow(
        steps(
          '- run: exit 3',
          '- run: echo no',
          '- { if: failure(), run: echo failed }',
          '- { if: always(), run: echo always }',
          '- { if: success(), run: echo no }',
          '- { if: cancelled(), run: echo no }',
        ),
      ),
    )
    expect(conclusion).toBe('failure')
    const conclusions = job('one').steps.map((step) => step.conclusion)
    expect(conclusions).toEqual(['failure', 'skipped', 'success', 'success', 'skipped', 'skipped'])
    expect(job('one').annotations).toMatchObject([{ message: 'Process completed with exit code 3.' }])
  })

  test('that may fail leaves its job as it is, and says both', async () => {
    const { conclusion, job } = await github.run(
      workflow(
        steps(
          '- { id: a, run: exit 1, continue-on-error: true }',
          '- run: echo ${{ steps.a.outcome }} ${{ steps.a.conclusion }}',
        ),
      ),
    )
    expect([conclusion, job('one').steps[1]!.log]).toEqual(['success', 'failure success'])
  })

  test('over its time has failed, and the job goes on as after a failure', async () => {
    const { conclusion, job } = await github.run(
      workflow(steps('- { run: exec sleep 60, timeout-minutes: 0.1 }', '- { if: failure(), run: echo after }')),
    )
    expect([conclusion, job('one').steps[1]!.conclusion]).toEqual(['failure', 'success'])
  })
})

describe('a secret', () => {
  test('is hidden in logs, annotations and the summary, also in base64 and line by line', async () => {
    const { job } = await github.run({
      ...workflow(
        steps(
          '- run: |',
          '    echo "one: s3cret-value"; echo first-line; printf %s "me:s3cret-value" | base64',
          '    echo "::warning title=s3cret-value::said s3cret-value"; echo s3cret-value >> "$GITHUB_STEP_SUMMARY"',
          '- run: |',
          '    echo "::add-mask::later"; echo "and later"',
          '    echo "::stop-commands::x"; echo "::warning::not one"; echo "::x::"; echo "::notice::one"',
        ),
      ),
      secrets: { A: 's3cret-value', B: '{\nfirst-line\n}' },
    })
    const { summary, annotations, steps: both } = job('one')
    expect(both[0]!.log).toMatch(/^one: \*\*\*\n\*\*\*\n\S*\*\*\*\S*\n##\[warning]said \*\*\*$/)
    expect(annotations).toMatchObject([{ title: '***', message: 'said ***' }, { message: 'one' }])
    expect(both[1]!.log).toBe('and ***\n::warning::not one\n##[notice]one')
    expect(summary).toBe('***\n')
  })

  test('in an output of a job drops it, and a matrix of it fails', async () => {
    const { conclusion, job } = await github.run({
      ...workflow(`one:
  runs-on: x
  outputs: { list: "\${{ steps.a.outputs.list }}", any: true }
  steps: [{ id: a, run: "echo 'list=[\\"docs\\"]' >> $GITHUB_OUTPUT" }]
two:
  needs: one
  runs-on: x
  strategy: { matrix: { name: "\${{ fromJSON(needs.one.outputs.list) }}" } }
  steps: [{ run: "echo \${{ matrix.name }}" }]`),
      secrets: { TOKEN: 'docs' },
    })
    expect(job('one').outputs).toEqual({ any: 'true' })
    expect(job('one').annotations).toMatchObject([{ message: "Skip output 'list' since it may contain secret." }])
    expect([conclusion, job('two').conclusion]).toEqual(['failure', 'failure'])
  })

  test('is masked where it is part of another', () => {
    expect(createMasks(['abc', 'abcdef']).mask('xabcdefabc')).toBe('x******')
  })
})

describe('a matrix', () => {
  test('is crossed, without what it excludes and with what it includes', () => {
    const matrix = {
      fruit: ['apple', 'pear'],
      animal: ['cat', 'dog'],
      exclude: [{ fruit: 'pear', animal: 'dog' }],
      include: [{ color: 'green' }, { animal: 'cat', color: 'pink' }, { fruit: 'banana' }],
    }
    expect(expandMatrix(matrix)).toEqual([
      { fruit: 'apple', animal: 'cat', color: 'pink' },
      { fruit: 'apple', animal: 'dog', color: 'green' },
      { fruit: 'pear', animal: 'cat', color: 'pink' },
      { fruit: 'banana' },
    ])
  })

  test('of no job or of more than 256 is refused', () => {
    expect(() => expandMatrix({ include: [] })).toThrow('no combination')
    expect(() => expandMatrix({ n: [] })).toThrow("Matrix vector 'n' does not contain any values")
    expect(() => expandMatrix({ n: Array.from({ length: 257 }, (_, i) => i) })).toThrow('257 jobs')
  })

  test('that fails fast cancels the rest of itself, else all of it is run', async () => {
    const matrix = (failFast: boolean) => `one:
  runs-on: x
  strategy: { fail-fast: ${failFast}, max-parallel: 1, matrix: { n: [1, 2] } }
  steps: [{ run: "test \${{ matrix.n }} = 2" }]`
    const conclusions = async (failFast: boolean) => {
      const { job } = await github.run(workflow(matrix(failFast)))
      return [job('one (1)').conclusion, job('one (2)').conclusion]
    }
    expect(await conclusions(true)).toEqual(['failure', 'cancelled'])
    expect(await conclusions(false)).toEqual(['failure', 'success'])
  })

  test('runs no more of its jobs at once than it says', async () => {
    const { job } = await github.run(
      workflow(`one:
  runs-on: x
  strategy: { max-parallel: 1, matrix: { n: [1, 2, 3] } }
  steps: [{ run: "mkdir ${folder}/alone; sleep 0.05; rmdir ${folder}/alone" }]`),
    )
    expect([1, 2, 3].map((n) => job(`one (${n})`).conclusion)).toEqual(['success', 'success', 'success'])
  })
})

describe('a job', () => {
  test('runs after those that it needs, and not where one of those before it failed or was skipped', async () => {
    const { conclusion, jobs } = await github.run(
      workflow(`bad: { runs-on: x, steps: [{ run: exit 1 }] }
skipped: { if: false, runs-on: x, steps: [{ run: exit 1 }] }
after-skipped: { needs: skipped, if: always(), runs-on: x, steps: [{ run: "echo \${{ needs.skipped.result }}" }] }
last: { needs: after-skipped, runs-on: x, steps: [{ run: exit 1 }] }
next: { needs: bad, runs-on: x, steps: [{ run: exit 1 }] }
mended: { needs: next, if: failure(), runs-on: x, steps: [{ run: exit 0 }] }`),
    )
    expect(conclusion).toBe('failure')
    expect(Object.fromEntries(jobs.map((job) => [job.name, job.conclusion]))).toEqual({
      bad: 'failure',
      skipped: 'skipped',
      'after-skipped': 'success',
      last: 'skipped',
      next: 'skipped',
      mended: 'success',
    })
  })

  test('over its time is cancelled', async () => {
    const { conclusion, job } = await github.run(
      workflow('one: { runs-on: x, timeout-minutes: 0.1, steps: [{ run: exec sleep 60 }] }'),
    )
    expect(conclusion).toBe('cancelled')
    expect(job('one').annotations.map(({ message }) => message)).toContain(
      'The job has exceeded the maximum execution time of 0.1m0s',
    )
  })

  test('of a group waits for the one that is in; who comes later takes its place, and cancels who is in where it says so', async () => {
    const grouped = (cancelInProgress: boolean) =>
      workflow(`one:
  runs-on: x
  concurrency: { group: G, cancel-in-progress: ${cancelInProgress} }
  steps: [{ run: "touch ${folder}/in; while test ! -e ${folder}/go; do sleep 0.01; done" }]`)
    const first = github.start(grouped(false))
    await first.reached('one', 'running')
    const second = github.start(grouped(false))
    await second.reached('one', 'pending')
    const third = github.start(grouped(false))
    const replaced = await second.ended
    expect(replaced.conclusion).toBe('cancelled')
    expect(replaced.job('one').annotations).toMatchObject([
      { message: 'Canceling since a higher priority waiting request for G exists' },
    ])
    write('go', '')
    expect([(await first.ended).conclusion, (await third.ended).conclusion]).toEqual(['success', 'success'])
    rmSync(join(folder, 'go'))

    const running = github.start(grouped(false))
    await running.reached('one', 'running')
    const canceller = github.start(grouped(true))
    expect((await running.ended).conclusion).toBe('cancelled')
    write('go', '')
    expect((await canceller.ended).conclusion).toBe('success')
  })
})

describe('a run that is cancelled', () => {
  test('sends SIGINT, then SIGTERM, then kills with all children; only what says always() or cancelled() comes after', async () => {
    const file = join(folder, 'signals')
    write(
      'stubborn.mjs',
      `import { spawn } from 'node:child_process'
      import { appendFileSync } from 'node:fs'
      for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => appendFileSync('${file}', name + ' '))
      setInterval(() => {}, 1000)
      const child = spawn('sleep', ['60'])
      appendFileSync('${file}.child', String(child.pid))
      appendFileSync('${file}', 'ready ')`,
    )
    // Slower than in the other tests: a busy machine delivers a signal late.
    const github = createGitHub({ repositories: { 'me/docs': folder }, timeScale: 0.1 })
    const run = github.start(
      workflow(`one:
  runs-on: x
  steps:
    - run: exec ${process.execPath} ${folder}/stubborn.mjs
    - run: echo no
    - { if: cancelled(), run: "echo \${{ job.status }}" }
    - { if: always(), run: exit 0 }
two: { needs: one, runs-on: x, steps: [{ run: exit 1 }] }
three: { needs: one, if: always(), runs-on: x, steps: [{ run: exit 0 }] }`),
    )
    await expect.poll(() => readOr(file), { timeout: 20_000 }).toBe('ready ')
    run.cancel()
    const { conclusion, job } = await run.ended
    expect(readOr(file)).toBe('ready SIGINT SIGTERM ')
    expect(isRunning(Number(readOr(`${file}.child`)))).toBe(false)
    expect(conclusion).toBe('cancelled')
    expect(job('one').steps.map((step) => step.conclusion)).toEqual(['cancelled', 'skipped', 'success', 'success'])
    expect(job('one').steps[2]!.log).toBe('cancelled')
    expect([job('two').conclusion, job('three').conclusion]).toEqual(['skipped', 'success'])
  })
})

test('a step that says always() is not ended by a cancel while it runs', async () => {
  const file = join(folder, 'always')
  const run = github.start(
    workflow(steps(`- { if: always(), run: "touch ${file}; while test ! -e ${file}.go; do sleep 0.01; done" }`)),
  )
  await expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true)
  run.cancel()
  writeFileSync(`${file}.go`, '')
  const { conclusion, job } = await run.ended
  expect([conclusion, job('one').steps[0]!.conclusion]).toEqual(['cancelled', 'success'])
})

describe('an action', () => {
  test('of Node has its inputs, and its post steps run last, in reverse order, each with its own state', async () => {
    write(
      'saver/action.yml',
      `name: s
description: s
inputs: { my name: { description: n, default: nobody } }
outputs: { said: { description: s } }
runs: { using: node24, main: main.mjs, post: post.mjs }`,
    )
    write(
      'saver/main.mjs',
      `import { appendFileSync } from 'node:fs'
appendFileSync(process.env.GITHUB_STATE, 'who=' + process.env.INPUT_MY_NAME + '\\n')
appendFileSync(process.env.GITHUB_OUTPUT, 'said=hello ' + process.env.INPUT_MY_NAME + '\\n')`,
    )
    write('saver/post.mjs', 'console.log(process.env.STATE_who)')
    const { job } = await github.run(
      workflow(
        steps(
          '- uses: actions/checkout@v7',
          '- { uses: ./saver, name: a, with: { "my name": ann } }',
          '- { uses: $/saver, id: b }',
          '- { uses: me/docs/saver@v1, name: c, with: { wrong: 1 }, if: failure() }',
          '- run: echo ${{ steps.b.outputs.said }}; exit 1',
        ),
      ),
    )
    expect(
      job('one')
        .steps.map(({ name, conclusion, log }) => [name, conclusion, log])
        .slice(3),
    ).toEqual([
      ['c', 'skipped', ''],
      ['run', 'failure', 'hello nobody\n##[error]Process completed with exit code 1.'],
      ['Post $/saver', 'success', 'nobody'],
      ['Post a', 'success', 'ann'],
    ])
  })

  test('of several steps has inputs and outputs of its own, and stops at the first that fails', async () => {
    write(
      'both/action.yml',
      `name: b
description: b
inputs: { word: { description: w } }
outputs: { last: { description: l, value: "\${{ steps.a.outputs.x }}" } }
runs:
  using: composite
  steps:
    - { id: a, shell: bash, run: "echo x=\${{ inputs.word }}-$MORE >> $GITHUB_OUTPUT" }
    - { shell: bash, if: "inputs.word == 'bad'", run: exit 1 }
    - { shell: bash, run: echo end }`,
    )
    const { job } = await github.run(
      workflow(
        steps(
          '- uses: actions/checkout@v7',
          '- { uses: ./both, id: one, env: { MORE: much }, with: { word: good } }',
          '- { uses: ./both, with: { word: bad } }',
          '- { if: always(), run: "echo ${{ steps.one.outputs.last }}" }',
        ),
      ),
    )
    const [, good, bad, last] = job('one').steps
    expect([good!.log, good!.conclusion, bad!.conclusion]).toEqual(
      ['end', 'success', 'failure'].map((text, i) => (i ? text : expect.stringContaining(text))),
    )
    expect(bad!.log).not.toContain('end')
    expect(last!.log).toBe('good-much')
  })
})

describe('a workflow that is called', () => {
  test('has the inputs and secrets that it is given and no others, and gives outputs back', async () => {
    write(
      '.github/workflows/called.yml',
      `on:
  workflow_call:
    inputs: { word: { type: string, required: true }, many: { type: number, default: 2 } }
    secrets: { key: { required: true } }
    outputs: { said: { value: "\${{ jobs.in.outputs.said }}" } }
jobs:
  in:
    runs-on: x
    outputs: { said: "\${{ steps.a.outputs.said }}" }
    steps:
      - { id: a, run: "echo said=\${{ inputs.word }}\${{ inputs.many }} >> $GITHUB_OUTPUT" }
      - { run: "echo $K", env: { K: "\${{ secrets.key }}\${{ secrets.OTHER }}." } }`,
    )
    const caller = (more: string) => ({
      ...workflow(`call: { uses: ./.github/workflows/called.yml${more}, secrets: { key: "\${{ secrets.KEY }}" } }
after: { needs: call, runs-on: x, steps: [{ run: "echo \${{ needs.call.outputs.said }}" }] }`),
      secrets: { KEY: 'the-key', OTHER: 'other' },
    })
    const { conclusion, job } = await github.run(caller(', with: { word: w }'))
    expect(conclusion).toBe('success')
    expect(job('call / in').steps[1]!.log).toBe('***.')
    expect(job('after').steps[0]!.log).toBe('w2')
    const missing = await github.run(caller(''))
    expect(missing.job('call').annotations).toMatchObject([{ message: expect.stringContaining("'word'") }])
  })

  test('may not do more than its caller', async () => {
    write(
      '.github/workflows/writes.yml',
      `on: workflow_call
permissions: { contents: read }
jobs:
  in: { runs-on: x, permissions: { contents: write }, steps: [{ run: exit 0 }] }`,
    )
    const calls = (permissions: string) =>
      github.run(workflow(`call: { uses: ./.github/workflows/writes.yml, permissions: ${permissions} }`))
    const refused = await calls('{ contents: read }')
    expect(refused.job('call').annotations).toMatchObject([
      { message: "The nested job 'in' is requesting 'contents: write', but is only allowed 'contents: read'." },
    ])
    expect((await calls('{ contents: write }')).conclusion).toBe('success')
    expect((await calls('read-all')).conclusion).toBe('failure')
  })
})

const readOr = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '')
