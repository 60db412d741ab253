import { readFileSync } from 'node:fs'
import { openDatabase } from '@tidemark/sync-core'
import { freshDatabase } from '@tidemark/test-engines'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'
import { query } from './world/query.ts'

const isError = new Ajv2020({ formats: { 'date-time': true } })
  .addSchema(JSON.parse(readFileSync(new URL('../schema/output.json', import.meta.url), 'utf8')), 'output')
  .getSchema('output#/$defs/error')!

const AWAY = 'postgres://me:hunter2@127.0.0.1:1/x'

/** The error that is printed with `--json`: alone, as the schema has it, and beside what is told and done without. */
async function errorOf(world: CliWorld, args: string, env: Record<string, string> = {}) {
  const [plain, ended] = await Promise.all([world.run(args, env), world.run(`${args} --json`, env)])
  const document = JSON.parse(ended.stdout)
  expect(isError(document)).toBe(true)
  expect(ended.stdout).not.toContain('hunter2')
  // Without when and by which process it was.
  const words = (stderr: string) => stderr.replaceAll(/^\S+Z |\.\d+\.tmp/gm, '')
  expect({ ...ended, stdout: '', stderr: words(ended.stderr) }).toEqual({ ...plain, stderr: words(plain.stderr) })
  return { exitCode: ended.exitCode, ...document.error }
}

/** A call of each command that comes to no result. */
const FAILING: readonly (readonly [command: string, args: string, exitCode: number, code: string])[] = [
  ['init', 'init', 2, 'BAD_USAGE'],
  ['init', 'init --config nowhere/tidemark.yaml', 1, 'FILE_NOT_WRITTEN'],
  ['sources', 'sources list --config nowhere.yaml', 2, 'BAD_USAGE'],
  ['sources', 'sources add x nowhere', 2, 'NOT_A_REPOSITORY'],
  ['sources', 'sources add x docs --ref mian', 2, 'REF_NOT_FOUND'],
  ['sources', 'sources remove dosc', 2, 'BAD_USAGE'],
  ['sync', 'sync --all', 1, 'DATABASE_UNREACHABLE'],
  ['sync', 'sync --all --bogus', 2, 'BAD_USAGE'],
  ['sync', 'sync --all --timeout 0', 2, 'BAD_USAGE'],
  ['sync', 'sync --source dosc', 2, 'BAD_USAGE'],
  ['sync', 'sync --all --config typo.yaml', 2, 'BAD_USAGE'],
  ['sync', 'sync --break-lock --all', 1, 'DATABASE_UNREACHABLE'],
  ['embed', 'embed --all', 1, 'DATABASE_UNREACHABLE'],
  ['search', 'search word', 1, 'DATABASE_UNREACHABLE'],
  ['show', 'show docs:none.md', 1, 'DATABASE_UNREACHABLE'],
  ['changes', 'changes --source docs', 1, 'DATABASE_UNREACHABLE'],
  ['changes', 'changes', 2, 'BAD_USAGE'],
  ['mcp', 'mcp --bogus', 2, 'BAD_USAGE'],
  ['watch', 'watch --listen x', 2, 'BAD_USAGE'],
  ['prune', 'prune', 1, 'DATABASE_UNREACHABLE'],
  ['status', 'status', 1, 'DATABASE_UNREACHABLE'],
  ['runs', 'runs', 1, 'DATABASE_UNREACHABLE'],
  ['quarantine', 'quarantine', 1, 'DATABASE_UNREACHABLE'],
  ['locks', 'locks list', 1, 'DATABASE_UNREACHABLE'],
  ['locks', 'locks break sync:docs', 1, 'DATABASE_UNREACHABLE'],
  ['doctor', 'doctor --bogus', 2, 'BAD_USAGE'],
  ['metrics', 'metrics --config nowhere.yaml', 2, 'BAD_USAGE'],
  ['migrate', 'migrate', 1, 'DATABASE_UNREACHABLE'],
  ['complete', 'complete', 2, 'BAD_USAGE'],
  ['help', 'snyc', 2, 'BAD_USAGE'],
]

let world: CliWorld
beforeAll(async () => {
  world = await cliWorld()
  const embedding = 'embedding: { url: "http://127.0.0.1:1/v1", model: m }'
  world.write('tidemark.yaml', `${embedding}\nsources: { docs: { repo: docs } }`)
  world.write('typo.yaml', 'sources: { docs: { repo: docs, reff: main } }')
})
afterAll(() => world[Symbol.dispose]())

describe('what fails before a result is one document with --json, as the schema has it:', () => {
  test.concurrent.for(FAILING)('%#. %s: tidemark %s', async ([, args, exitCode, code], { expect }) => {
    expect(await errorOf(world, args, { DATABASE_URL: AWAY })).toMatchObject({
      exitCode,
      code,
      message: expect.stringMatching(/./),
      hint: expect.stringMatching(/./),
    })
  })

  test('no command is without a call here that fails', async () => {
    const help = (await world.run('--help')).stdout
    const commands = [...help.split('Commands:')[1]!.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!)
    const listed = commands.slice(0, commands.indexOf('help') + 1)
    expect(listed.filter((name) => !FAILING.some(([command]) => command === name))).toEqual([])
  })

  test('a call without a command', async () => {
    expect(await errorOf(world, '--quiet')).toMatchObject({ exitCode: 2, code: 'BAD_USAGE' })
  })

  test('tables of a newer release', async () => {
    const database = await freshDatabase('postgres')
    const env = { DATABASE_URL: database.url }
    await world.run('migrate', env)
    await query(database.url, 'INSERT INTO tidemark.migrations (version) VALUES (999)')
    expect(await errorOf(world, 'sync --all', env)).toMatchObject({ exitCode: 1, code: 'DATABASE_NEWER' })
    await database.drop()
  })

  test('an embedded database that another process has', { timeout: 120_000 }, async () => {
    const database = await freshDatabase('pglite')
    const holder = await openDatabase(database.url)
    expect(await errorOf(world, 'status', { DATABASE_URL: database.url })).toMatchObject({
      exitCode: 4,
      code: 'DATABASE_IN_USE',
    })
    await holder.close()
    await database.drop()
  })

  test('a page that is not there', async () => {
    const database = await freshDatabase('postgres')
    const env = { DATABASE_URL: database.url }
    await world.run('sync --all', env)
    expect(await errorOf(world, 'show docs:none.md', env)).toMatchObject({ exitCode: 1, code: 'PAGE_NOT_FOUND' })
    await database.drop()
  })

  test('an address that was typed for a command, without its password', async () => {
    expect(await errorOf(world, AWAY)).toMatchObject({ exitCode: 2, message: expect.not.stringContaining('hunter2') })
  })
})
