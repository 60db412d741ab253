import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'

const WRITTEN = `# ours
sources:
  # the first
  docs:
    repo: docs # here
    ref: main # pinned
    include: [a.md, b.md] # two
  vite: { repo: vite.git } # the last
`

async function configured() {
  const world = await cliWorld()
  world.write('tidemark.yaml', WRITTEN)
  const read = () => readFileSync(join(world.folder, 'tidemark.yaml'), 'utf8')
  return { world, read }
}

const setJson = async (world: CliWorld, line: string) =>
  JSON.parse((await world.shell(`tidemark sources set ${line} --json`)).stdout)

describe('tidemark sources set', () => {
  test('changes what it is told in its place, and leaves comments, order and mode of the file', async () => {
    const { world, read } = await configured()
    using _ = world
    const file = join(world.folder, 'tidemark.yaml')
    chmodSync(file, 0o640)
    await world.git('docs').branch(['trunk'])
    const { exitCode, stdout } = await world.run('sources set docs --ref trunk --include c.md')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(
      /^Changed "docs" in .*tidemark\.yaml, now at [0-9a-f]{10}:\n {2}ref: main → trunk\n {2}include: a\.md, b\.md → c\.md\n/,
    )
    expect(read()).toBe(WRITTEN.replace('ref: main', 'ref: trunk').replace('[a.md, b.md]', '[ c.md ]'))
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  test('takes every setting, and an empty value brings the default back', async () => {
    const { world, read } = await configured()
    using _ = world
    const all = `--path vite.git --subpath docs --exclude 'x y' z --extensions md mdx --link-root . --max-files 2000000 --every 10m --language german`
    const set = await setJson(world, `docs ${all} --ref '' --include ''`)
    expect(set).toMatchObject({
      ...{ version: 1, changed: 'docs', file: join(world.folder, 'tidemark.yaml') },
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      changes: expect.arrayContaining([
        { key: 'repo', was: 'docs', is: 'vite.git' },
        { key: 'ref', was: 'main', is: null },
        { key: 'include', was: ['a.md', 'b.md'], is: null },
        { key: 'maxFiles', was: null, is: 2_000_000 },
      ]),
    })
    expect(read()).not.toMatch(/ref: |include: /)
    for (const line of ['linkRoot: .', 'maxFiles: 2000000', 'every: 10m', 'language: german', 'subpath: docs'])
      expect(read()).toContain(line)
    expect(await world.run('sync --source docs')).toMatchObject({ exitCode: 0 })
    const none = "--subpath '' --exclude '' --extensions '' --link-root '' --max-files '' --every '' --language ''"
    expect((await setJson(world, `docs ${none}`)).changes).toHaveLength(7)
    expect(read()).toContain('  docs:\n    repo: vite.git # here\n  vite:')
  })

  test('changes nothing where all is so already', async () => {
    const { world, read } = await configured()
    using _ = world
    expect((await world.run('sources set docs --ref main')).stdout).toContain('"docs" has that already')
    expect(read()).toBe(WRITTEN)
  })

  test('says where pages may go that a dry run shows them', async () => {
    const { world } = await configured()
    using _ = world
    const { stdout } = await world.run('sources set docs --include a.md')
    expect(stdout).toContain('What it will do: tidemark sync --source docs --dry-run')
    expect((await world.run('sources set docs --every 5m')).stdout).not.toContain('--dry-run')
  })

  test.each([
    ['docs', 'needs to know what to change'],
    ['dosc --ref main', 'Did you mean "docs"?'],
    ['docs --ref mian', 'tidemark sources set docs --ref mian --ref main'],
    ["docs --subpath x --ref 'a b'", 'tidemark sources set docs --subpath x --ref'],
    ['docs --path nowhere', 'is not a git repository'],
    ['docs --path https://example.org/x', 'Give it as --url'],
    ['docs --url docs', 'is not an address'],
    ['docs --url http://example.org/x.git', 'it is not encrypted'],
    ["docs --url ''", 'cannot do without a repository'],
    ['docs --url https://x/y --path z', 'exclude each other'],
    ['docs --subpath ../x', 'is not a folder of a repository'],
    ['docs --extensions "*.md"', 'an extension that no file has'],
    ['docs --max-files 0', 'Give a whole number of 1 or more'],
    ['docs --every 1d', 'Give a duration such as 60'],
    ['docs --language de-DE', 'that no dictionary is called by'],
    ["docs --path '${NOT_SET}/x'", 'the variable NOT_SET is not set'],
  ])('refuses %s before anything is touched', async (line, message) => {
    const { world, read } = await configured()
    using _ = world
    const refused = await world.shell(`tidemark sources set ${line}`)
    expect(refused).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(message) })
    expect(read()).toBe(WRITTEN)
  })

  test('refuses a source that stands for another, and names its place', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources:\n  docs: &d { repo: docs }\n  copy: *d\n')
    expect(await world.run('sources set copy --ref main')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('tidemark.yaml:3:3: "copy" stands for what is written elsewhere'),
    })
  })
})

describe('tidemark sources add', () => {
  test('takes every setting that a source may have', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources:\n')
    const line = 'docs docs --extensions md --link-root . --max-files 9 --language german'
    expect(await world.run(`sources add ${line}`)).toMatchObject({ exitCode: 0 })
    const text = readFileSync(join(world.folder, 'tidemark.yaml'), 'utf8')
    expect(text).toBe(
      'sources:\n  docs:\n    repo: docs\n    extensions:\n      - md\n    linkRoot: .\n    maxFiles: 9\n    language: german\n',
    )
  })

  test.each([
    ['new docs --ref mian --subpath x', 'tidemark sources add new docs --subpath x --ref main'],
    ['new docs/guide', 'tidemark sources add new WORLD/docs --subpath guide'],
    ['docs docs', 'tidemark sources set docs'],
    ["new docs --ref ''", 'the value for ref is empty'],
  ])('refuses %s with the command that goes on', async (line, step) => {
    const { world, read } = await configured()
    using _ = world
    world.write('docs/guide/a.md', '# A')
    const refused = await world.shell(`tidemark sources add ${line}`)
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(step.replace('WORLD', world.folder)) })
    expect(read()).toBe(WRITTEN)
  })
})
