import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findOtherRepositories, repositoryName } from '../../release/repository.ts'
import { ROOT } from '../world/runner.ts'

const files = [
  'package.json',
  'packages/cli/package.json',
  'packages/lock/package.json',
  'packages/sync-core/package.json',
  'packages/action/package.json',
  'packages/action/README.md',
  '.github/workflows/ci.yml',
  '.github/workflows/sync.yml',
  'examples/github-action/.github/workflows/mirror.yml',
]

describe('the name of the repository', () => {
  let fork: string
  beforeAll(() => {
    fork = mkdtempSync(join(tmpdir(), 'tidemark-fork-'))
    for (const file of files) {
      mkdirSync(dirname(join(fork, file)), { recursive: true })
      cpSync(join(ROOT, file), join(fork, file))
    }
    execFileSync('git', ['init', '--quiet'], { cwd: fork })
    execFileSync('git', ['add', '--all'], { cwd: fork })
  })
  afterAll(() => rmSync(fork, { recursive: true }))

  test('is the same in every file', () => {
    expect(findOtherRepositories().map(({ file }) => file)).toEqual([])
  })

  test('is changed in one line: all that names it is found, and is then written to say the same', () => {
    const file = join(fork, 'package.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace(repositoryName(), 'acme/pages'))
    const found = findOtherRepositories(fork)
    expect(found.map((each) => each.file).toSorted()).toEqual(
      files.filter((each) => !/^package.json|action\/package.json|ci.yml/.test(each)).toSorted(),
    )
    for (const { file, text } of found) writeFileSync(join(fork, file), text)
    expect(findOtherRepositories(fork)).toEqual([])
    const read = (name: string) => readFileSync(join(fork, name), 'utf8')
    for (const name of files) expect(read(name)).not.toContain(repositoryName())
    expect(read('.github/workflows/sync.yml')).toContain('uses: acme/pages/plan@v1\n')
    expect(read('.github/workflows/ci.yml')).toContain('uses: actions/checkout@')
    expect(JSON.parse(read('packages/lock/package.json')).repository).toEqual({
      type: 'git',
      url: 'git+https://github.com/acme/pages.git',
      directory: 'packages/lock',
    })
  })

  test('that is missing is asked for', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-fork-'))
    writeFileSync(join(folder, 'package.json'), '{}')
    expect(() => repositoryName(folder)).toThrow('package.json needs a repository')
    rmSync(folder, { recursive: true })
  })
})
