import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { durationMs, loadConfig, resolveDatabase } from '../src/config/index.ts'
import { configJsonSchema } from '../src/config/schema.ts'
import { cliWorld } from './world/cli-world.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-config-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function load(yaml: string) {
  const file = join(folder, 'tidemark.yaml')
  writeFileSync(file, yaml)
  return loadConfig(file)
}

describe('a duration', () => {
  test.each([
    ['60', 60_000],
    ['60s', 60_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['4032h', 14_515_200_000],
  ])('of %s is %i milliseconds', (text, ms) => expect(durationMs(text)).toBe(ms))

  test.each(['0', '0s', '-5', '1.5m', '10 m', '', 'ten', '1d', '1e3', '٣', '10m '])('is not "%s"', (text) =>
    expect(() => durationMs(text)).toThrow(
      expect.objectContaining({ hint: 'Give a duration such as 60, 60s, 10m or 1h.' }),
    ),
  )

  test.each(['4033h', '14515201', '99999999999999999999s'])('of %s is longer than any may be', (text) =>
    expect(() => durationMs(text)).toThrow(
      expect.objectContaining({ hint: 'Give at most 4032h, which are 24 weeks.' }),
    ),
  )
})

describe('tidemark.yaml', () => {
  test('says how often each source is due, hourly where it says nothing', () => {
    const { sources } = load('sources: { a: { repo: a }, b: { repo: b, every: 10m }, c: { repo: c, every: 90 } }')
    expect(sources.map(({ everyMs }) => everyMs)).toEqual([3_600_000, 600_000, 90_000])
    expect(load('every: 5m\nsources: { a: { repo: a } }').sources[0]!.everyMs).toBe(300_000)
  })

  test('has variables with and without a default in every value', () => {
    vi.stubEnv('TOKEN', 's3cret')
    vi.stubEnv('EMPTY', '')
    const { sources } = load(
      `sources:
  docs:
    repo: https://me:\${TOKEN}@example.org/\${TEAM:-team}/docs.git
    ref: \${EMPTY:-main}
    every: \${EVERY:-10m}
    exclude: ["\${EMPTY}drafts/"]`,
    )
    expect(sources).toMatchObject([
      {
        repo: 'https://me:s3cret@example.org/team/docs.git',
        ref: 'main',
        everyMs: 600_000,
        exclude: ['drafts/'],
      },
    ])
  })

  test('finds repositories and an embedded database from where it stands', () => {
    const config = load('database: db\nsources: { docs: { repo: ../docs } }')
    expect(config.sources[0]!.repo).toBe(join(folder, '..', 'docs'))
    expect(config.database).toBe(join(folder, 'db'))
  })

  test('counts for less than DATABASE_URL, that for less than --database, and for more than the default', () => {
    const config = load('database: db')
    vi.stubEnv('DATABASE_URL', 'postgres://host/x')
    expect(resolveDatabase(config, 'flag')).toBe('flag')
    expect(resolveDatabase(config, undefined)).toBe('postgres://host/x')
    vi.stubEnv('DATABASE_URL', '')
    expect(resolveDatabase(config, undefined)).toBe(join(folder, 'db'))
    expect(resolveDatabase(load(''), undefined)).toBe(join(folder, '.tidemark', 'db'))
  })

  test('says who embeds, without a key where its variable is not set', () => {
    const yaml = `embedding:
  url: http://localhost:11434/v1
  model: nomic-embed-text
  key: \${EMBEDDING_KEY:-}
  timeout: 2m
`
    expect(load(yaml).embedding).toEqual({
      url: 'http://localhost:11434/v1',
      model: 'nomic-embed-text',
      key: undefined,
      requestTimeoutMs: 120_000,
    })
    vi.stubEnv('EMBEDDING_KEY', 's3cret')
    expect(load(yaml).embedding).toMatchObject({ key: 's3cret' })
    expect(load('').embedding).toBe(null)
  })

  test.each([
    [
      'an unknown key of who embeds',
      'embedding: { url: "http://x/v1", model: m, modle: n }',
      '1:44: unknown key "modle" in embedding',
      'Did you mean "model"?',
    ],
    [
      'a server that is none',
      'embedding: { url: localhost, model: m }',
      '1:1: "localhost" is not the address of a server that embeds',
      'for example http://localhost:11434/v1',
    ],
    [
      'a language that no dictionary is called by',
      'sources:\n  a: { repo: x, language: "de-DE" }',
      '2:3: source "a" has a language',
      'for example "english" or "german"',
    ],
    ['an unknown key', 'sorces: {}', '1:1: unknown key "sorces"', 'Did you mean "sources"?'],
    [
      'an unknown key of a source',
      'sources:\n  a:\n    repo: x\n    reff: y',
      '4:5: unknown key "reff" in sources.a',
      'Did you mean "ref"?',
    ],
    ['no repository', 'sources:\n  a: {}', '2:3: sources.a.repo is wrong', ''],
    ['an odd name', 'sources:\n  "a b": { repo: x }', '2:3: "a b" cannot be the name of a source', ''],
    [
      'a number for a name of a ref',
      'sources:\n  a: { repo: x, ref: 1 }',
      '2:22: sources.a.ref is wrong: Invalid input: expected string, received number',
      '',
    ],
    [
      'a duration that is none',
      'sources:\n  a:\n    repo: x\n    every: 1.5h',
      '4:12: sources.a.every is wrong: it is not a duration that can be used. Give a duration such as 60',
      '',
    ],
    ['an empty pattern', 'sources:\n  a:\n    repo: x\n    exclude: [x, ""]', '4:18: sources.a.exclude.1 is wrong', ''],
    [
      'a variable that is not set',
      'sources:\n  a:\n    repo: ${NOT_SET}/x',
      '3:11: the variable NOT_SET is not set',
      '${NOT_SET:-default}',
    ],
    ['what is not YAML', 'sources: {', '1:11: this is not YAML', ''],
    ['twins', 'sources:\n  a: { repo: x }\n  a: { repo: y }', '3:3: this is not YAML: Map keys must be unique', ''],
    ['a list for a file', '- a', '1:1: the file is wrong', ''],
    [
      'a remote helper for a repository',
      'sources:\n  a: { repo: "ext::sh -c id" }',
      '2:3: source "a" has an address that is not fetched',
      '',
    ],
  ])('with %s is refused by line and column', (_, yaml, message, hint) => {
    expect(() => load(yaml)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`${folder}/tidemark.yaml:${message}`),
        hint: expect.stringContaining(hint),
      }),
    )
  })

  test('never has a secret of the environment told in an error', () => {
    vi.stubEnv('SECRET', '-https://me:s3cret@example.org')
    for (const yaml of [
      'sources: { a: { repo: "${SECRET}" } }',
      'sources: { a: { repo: x, every: "${SECRET}" } }',
      'sources: { a: { repo: x, subpath: "../${SECRET}" } }',
    ])
      expect(() => load(yaml)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('s3cret') }))
  })

  // Written anew with: npx vitest run packages/cli/test/config.test.ts --update
  test('has a JSON Schema in the package that is current', async () => {
    const schema = `${JSON.stringify(configJsonSchema(), null, 2)}\n`
    await expect(schema).toMatchFileSnapshot('../schema/tidemark.yaml.json')
  })
})

describe('tidemark init', () => {
  test('writes a file with comments that names its schema, and the repository that it stands in', async () => {
    using world = await cliWorld()
    const { stdout } = await world.run('init', {}, 'docs')
    expect(stdout).toContain('Next: tidemark sync --all')
    const file = join(world.folder, 'docs', 'tidemark.yaml')
    expect(readFileSync(file, 'utf8')).toMatch(/^# yaml-language-server: \$schema=\S+\/schema\/tidemark\.yaml\.json\n/)
    expect(loadConfig(file).sources).toMatchObject([{ id: 'docs', repo: join(world.folder, 'docs') }])
    expect(await world.run('init', {}, 'docs')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('is there already'),
    })
  })

  test('writes one without sources where there is no repository, and every example in it is right', async () => {
    using world = await cliWorld()
    await world.run('init')
    const file = join(world.folder, 'tidemark.yaml')
    expect(loadConfig(file).sources).toEqual([])
    const text = readFileSync(file, 'utf8')
    vi.stubEnv('PGPASSWORD', 'x')
    const uncommented = text.replace(/^# (database:|every:|embedding:| {2})/gm, '$1').replace(/^sources:$/m, '')
    expect(load(uncommented.replace('  docs:', 'sources:\n  docs:'))).toMatchObject({
      embedding: { url: 'http://localhost:11434/v1', model: 'nomic-embed-text' },
      sources: [{ id: 'docs', ref: 'main', subpath: 'content', everyMs: 600_000, language: 'german' }],
    })
  })
})

describe('tidemark sources', () => {
  const written = '# ours\nsources:\n  # the first\n  vite: { repo: vite.git } # pinned\n\n  # the last\n'

  test('add and remove leave the comments of the file as they are', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', written)
    const read = () => readFileSync(join(world.folder, 'tidemark.yaml'), 'utf8')
    await world.run('sources add docs docs --ref main --every 10m')
    for (const comment of ['# ours', '# the first', '# pinned', '# the last']) expect(read()).toContain(comment)
    expect(read()).toContain('  docs:\n    repo: docs\n    ref: main\n    every: 10m\n')
    await world.run('sources remove docs')
    for (const comment of ['# ours', '# the first', '# pinned', '# the last']) expect(read()).toContain(comment)
    expect(read()).not.toContain('docs')
  })

  test('add and remove keep the mode of the file, and a symlink a symlink', async () => {
    using world = await cliWorld()
    world.write('elsewhere/ours.yaml', written)
    const [file, link] = [join(world.folder, 'elsewhere/ours.yaml'), join(world.folder, 'tidemark.yaml')]
    chmodSync(file, 0o600)
    symlinkSync('elsewhere/ours.yaml', link)
    for (const [args, mode] of [
      ['sources add docs docs', 0o600],
      ['sources remove docs', 0o640],
    ] as const) {
      chmodSync(file, mode)
      expect(await world.run(args)).toMatchObject({ exitCode: 0 })
      expect([lstatSync(link).isSymbolicLink(), statSync(file).mode & 0o777]).toEqual([true, mode])
    }
    expect(readdirSync(join(world.folder, 'elsewhere'))).toEqual(['ours.yaml'])
  })

  test('remove --purge tells what it would delete, and deletes it only with --yes where nobody can be asked', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { purged: { repo: docs } }')
    await world.run('sync --all')
    const refused = await world.run('sources remove purged --purge')
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain(
      'this would delete 3 pages, 3 chunks, 0 links and 1 runs of "purged" in postgres://',
    )
    expect(refused.stderr).toContain('--yes')
    expect((await world.run('status')).stdout).toContain('up to date')
    expect((await world.run('sources remove purged --purge --yes --json')).stdout).toContain('"pages": 3')
    world.write('tidemark.yaml', 'sources: { purged: { repo: docs } }')
    expect((await world.run('status')).stdout).toContain('never synced')
  })

  test('remove --purge also takes what only the database still has', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { left: { repo: docs } }')
    await world.run('sync --all')
    await world.run('sources remove left')
    expect(await world.run('sources remove left --purge --yes')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('3 pages'),
    })
    expect(await world.run('sources remove left --purge --yes')).toMatchObject({ exitCode: 2 })
  })
})
