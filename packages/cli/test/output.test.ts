import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '@tidemark/test-engines'
import { serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { type Config, createGenerator, type Schema } from 'ts-json-schema-generator'
import { describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld, freshName, heldBack } from './world/cli-world.ts'

const SCHEMA = new URL('../schema/output.json', import.meta.url)

function validator(command: string): ValidateFunction {
  const ajv = new Ajv2020({ formats: { 'date-time': true } })
  ajv.addSchema(JSON.parse(readFileSync(SCHEMA, 'utf8')), 'output')
  return ajv.getSchema(`output#/$defs/${encodeURIComponent(command)}`)!
}

/** Runs a command with `--json`, and sees that it printed what the schema of the package says, and nothing else. */
async function printed(world: CliWorld, name: string, args: string, env = {}): Promise<any> {
  const { stdout } = await world.run(`${args} --json`, env)
  const document = JSON.parse(stdout)
  const validate = validator(name)
  validate(document)
  expect(validate.errors).toBe(null)
  return document
}

// Written anew with: npx vitest run packages/cli/test/output.test.ts --update
test('the schema of all output in the package is what the types of the output say', async () => {
  const [path, tsconfig] = ['../src/output/json-outputs.ts', '../tsconfig.json'].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  )
  const types = { path, tsconfig, skipTypeCheck: true, expose: 'none', topRef: false } as Config
  const { properties } = createGenerator(types).createSchema('Outputs')
  const withVersion = ([command, shape]: [string, Schema]) => {
    const { properties, required = [], ...rest } = shape
    return [
      command,
      { ...rest, properties: { version: { const: 1 }, ...properties }, required: ['version', ...required] },
    ]
  }
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What tidemark prints with --json',
    $defs: Object.fromEntries(Object.entries(properties as Record<string, Schema>).map(withVersion)),
  }
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../schema/output.json')
})

describe('--json prints one document as the schema has it', () => {
  test('of init, sources and migrate', async () => {
    using world = await cliWorld()
    const a = freshName()
    await printed(world, 'init', 'init')
    await printed(world, 'sources add', `sources add ${a} docs --every 10m`)
    expect((await printed(world, 'sources list', 'sources list')).sources).toMatchObject([{ id: a, everyMs: 600_000 }])
    expect((await printed(world, 'migrate --dry-run', 'migrate --dry-run')).statements).toHaveLength(2)
    expect(await printed(world, 'migrate', 'migrate')).toMatchObject({ migrated: true })
    expect((await printed(world, 'migrate --dry-run', 'migrate --dry-run')).statements).toEqual([])
    await printed(world, 'sources set', `sources set ${a} --ref main --include *.md x --max-files 9`)
    await printed(world, 'sources set', `sources set ${a} --every 5m`)
    await printed(world, 'sources rename', `sources rename ${a} ${a}b`)
    await printed(world, 'sources rename', `sources rename ${a}b ${a}`)
    await printed(world, 'sources remove', `sources remove ${a} --purge --yes`)
    await printed(world, 'sources add', `sources add ${a} docs`)
    await printed(world, 'sources remove', `sources remove ${a}`)
  })

  test('of a sync however it ends', async () => {
    using world = await cliWorld()
    const [a, gone, held] = [freshName(), freshName('gone'), freshName('held')]
    world.write(
      'tidemark.yaml',
      `sources:\n  ${a}: { repo: docs }\n  ${gone}: { repo: nowhere }\n  ${held}: { repo: docs }\n`,
    )
    await using back = await heldBack(world)
    const holding = world.start(`sync --source ${held} --json`)
    await back.waiting(1)
    const all = await printed(world, 'sync', 'sync --all --timeout 2s')
    expect(all.results).toMatchObject([
      { source: a, status: 'partial', reason: 'timeout' },
      { source: gone, status: 'failed' },
      { source: held, status: 'busy', holder: { pid: holding.nodeChildProcess.pid } },
    ])
    const broken = await printed(world, 'sync --break-lock', `sync --force-break-lock --source ${held}`)
    expect(broken.results).toMatchObject([{ source: held, verdict: 'broken' }])
    await back.letGo()
    await holding
    for (const args of ['--dry-run', '', '--full', '']) {
      await printed(world, 'sync', `sync --source ${a} ${args}`.trim())
    }
  })

  test('of embed, search and show', { timeout: 180_000 }, async () => {
    using world = await cliWorld()
    const server = await serveEmbeddings()
    const database = await freshDatabase('pglite')
    const env = { DATABASE_URL: database.url }
    world.write(
      'tidemark.yaml',
      `embedding: { url: "${server.url}", model: m, pricePerMillionTokens: 1 }
sources: { docs: { repo: docs }, never: { repo: docs } }`,
    )
    world.write('docs/extra.md', '---\ntags: [x]\n---\n# Extra\n\nSee [a](./a.md) and [none](./none.md).')
    await world.commit('docs')
    await printed(world, 'sync', 'sync --source docs', env)
    expect((await printed(world, 'embed', 'embed --all --dry-run', env)).results).toMatchObject([
      { status: 'dry_run', estimate: { cost: expect.any(Number) } },
      { warnings: [{ code: 'never_synced' }] },
    ])
    server.faults.push({ status: 401 })
    expect((await printed(world, 'embed', 'embed --source docs', env)).results).toMatchObject([
      { status: 'failed', error: { code: 'EMBEDDING_REFUSED' } },
    ])
    expect(await printed(world, 'embed', 'embed --all --gc', env)).toMatchObject({
      results: [{ status: 'synced', chunksEmbedded: 4 }, { status: 'up_to_date' }],
      collected: { embeddings: 0, models: [] },
    })
    expect(await printed(world, 'search', 'search extra', env)).toMatchObject({ mode: 'hybrid' })
    expect(await printed(world, 'search', 'search extra zebracorn --mode text', env)).toMatchObject({
      match: 'any',
      hits: [{ path: 'extra.md', lastSyncedAt: expect.any(String) }],
    })
    expect(await printed(world, 'show', 'show docs:extra.md', env)).toMatchObject({
      frontmatter: { tags: ['x'] },
      links: [{ path: 'a.md' }, { path: null }],
    })
    expect(await printed(world, 'changes', 'changes --source docs --with content', env)).toMatchObject({
      changes: [{}, {}, {}, { page: { frontmatter: { tags: ['x'] } } }],
    })
    expect((await printed(world, 'prune', 'prune', env)).results).toMatchObject([{ source: 'docs' }, { pruned: 0 }])
    await server.close()
    await database.drop()
  })

  test('of status, runs, locks and doctor', async () => {
    using world = await cliWorld()
    const [a, gone] = [freshName(), freshName('gone')]
    world.write('tidemark.yaml', `sources:\n  ${a}: { repo: docs }\n  ${gone}: { repo: nowhere }\n`)
    await world.run('sync --all')
    await using back = await heldBack(world)
    const running = world.start(`sync --source ${a} --full --json`)
    await back.waiting(1)
    expect((await printed(world, 'status', 'status')).sources).toMatchObject([
      {
        id: a,
        state: 'syncing',
        lease: { pid: running.nodeChildProcess.pid },
        lastRun: { finishedAt: null },
      },
      { id: gone, state: 'unreachable', problem: expect.stringContaining('is not a git repository') },
    ])
    expect((await printed(world, 'locks list', 'locks list')).locks).toMatchObject([{ key: `sync:${a}` }])
    expect(await printed(world, 'locks break', `locks break sync:${a}`)).toMatchObject({ verdict: 'refused' })
    await back.letGo()
    await running
    expect((await printed(world, 'runs', `runs --source ${a}`)).runs).toMatchObject([
      { status: 'synced' },
      { status: 'first_sync' },
    ])
    expect(await printed(world, 'doctor', 'doctor')).toMatchObject({ healthy: false })
  })
})

test('every time in JSON is in UTC to the millisecond, with a Z', async () => {
  using world = await cliWorld()
  const id = freshName()
  world.write('tidemark.yaml', `sources: { ${id}: { repo: docs } }`)
  world.write('docs/broken.md', '---\na: [\n---\n# Broken')
  await world.commit('docs')
  await world.run('sync --all')
  for (const args of ['status', `runs --source ${id}`, 'quarantine', 'search b', `show ${id}:a.md`]) {
    const { stdout } = await world.run(`${args} --json`)
    const times = stdout.match(/"\d{4}-\d\d-\d\d[^"]*"/g) ?? []
    expect({ args, found: times.length > 0 }).toEqual({ args, found: true })
    for (const time of times) expect(time).toMatch(/^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/)
  }
})
