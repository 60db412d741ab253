import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type Config, createGenerator } from 'ts-json-schema-generator'
import { describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld, freshName, heldBack } from './world/cli-world.ts'
import { runInTerminal } from './world/terminal.ts'

const SCHEMA = new URL('../schema/log.json', import.meta.url)
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /

/** All events that were logged, each of which is as the schema of the package has it. */
function events(stderr: string): any[] {
  const isEvent = new Ajv2020({ formats: { 'date-time': true }, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(SCHEMA, 'utf8')),
  )
  return stderr.split('\n').map((line) => {
    const event = JSON.parse(line)
    isEvent(event)
    expect(isEvent.errors).toBe(null)
    expect(`${event.time} `).toMatch(TIME)
    return event
  })
}

function oneSource(world: CliWorld, repo = 'docs'): string {
  const source = freshName()
  world.write('tidemark.yaml', `sources: { ${source}: { repo: ${repo} } }`)
  return source
}

// Written anew with: npx vitest run packages/cli/test/log.test.ts --update
test('the schema of the log in the package is what the types say', async () => {
  const [path, tsconfig] = ['../src/output/log-event.ts', '../tsconfig.json'].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  )
  const types = { path, tsconfig, skipTypeCheck: true, expose: 'none', topRef: false } as Config
  const { $schema: _, ...shape } = createGenerator(types).createSchema('LogEvent')
  const title = 'A line of what tidemark logs with --log json'
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...shape }
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../schema/log.json')
})

describe('--log json', () => {
  test.each(['', ' --json', ' --independent'])(
    'logs each step of each source as an event on a line%s',
    async (flags) => {
      using world = await cliWorld()
      const source = oneSource(world)
      const { stdout, stderr } = await world.run(`sync --all --log json${flags}`)
      const logged = events(stderr)
      expect(logged[0]).toMatchObject({ level: 'info', event: 'started', source })
      const phases = logged.filter(({ event }) => event === 'phase').map(({ phase }) => phase)
      expect(phases).toEqual(expect.arrayContaining(['lock', 'plan', 'apply']))
      const finished = { level: 'info', event: 'finished', source, status: 'first_sync', filesImported: 3 }
      expect(logged.at(-1)).toMatchObject({ ...finished, elapsedMs: expect.any(Number) })
      if (flags === ' --json') expect(JSON.parse(stdout).results).toMatchObject([{ source, status: 'first_sync' }])
      else expect(stdout).toBe('')
    },
  )

  test('says each ten seconds where a source is that takes long', async () => {
    using world = await cliWorld()
    const source = oneSource(world, 'vite.git')
    await using held = await heldBack(world, 1)
    const running = world.start('sync --all --log json')
    let said: unknown
    for await (const line of running.iterable({ from: 'stderr' })) {
      const [event] = events(String(line))
      // A slow machine may have come less far by then, and say it once more after it.
      if (said !== undefined || event?.event !== 'progress' || event.done !== 25) continue
      said = event
      await held.letGo()
    }
    expect(said).toMatchObject({ source, phase: 'apply', total: 84 })
    expect(await running).toMatchObject({ exitCode: 0 })
  })

  test('has what someone should do as an event with its hint, and what failed before a run with its code', async () => {
    using world = await cliWorld()
    const source = oneSource(world, 'nowhere')
    const hint = `Give the path of a work tree or of a bare repository: tidemark sources set ${source} --path <folder>`
    const error = { code: 'NOT_A_REPOSITORY', message: `${world.folder}/nowhere is not a git repository`, hint }
    expect(events((await world.run('sync --all --log json --quiet')).stderr)).toMatchObject([
      { level: 'error', event: 'error', source, hint },
      { level: 'error', event: 'finished', status: 'failed', error },
    ])
    const away = await world.run('sync --all --log json', { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/x' })
    expect(events(away.stderr)).toMatchObject([{ level: 'error', event: 'error', code: 'DATABASE_UNREACHABLE' }])
    expect(away.stderr).not.toContain('hunter2')
    const usage = await world.run('sync --bogus --log json')
    expect(events(usage.stderr)).toMatchObject([{ level: 'error', event: 'error', code: 'BAD_USAGE' }])
  })

  test('has the events of embed, and with --verbose what git and the database were asked', async () => {
    using world = await cliWorld()
    const server = await serveEmbeddings()
    world.write(
      'tidemark.yaml',
      `embedding: { url: "${server.url}", model: m }\nsources: { ${freshName('x')}: { repo: docs } }`,
    )
    await world.run('sync --all')
    const logged = events((await world.run('embed --all --dry-run --log json --verbose')).stderr)
    expect(logged.map(({ event }) => event)).toEqual(expect.arrayContaining(['started', 'trace', 'finished']))
    expect(logged.at(-1)).toMatchObject({ event: 'finished', status: 'dry_run' })
    await server.close()
  })

  test('has nothing in it that a terminal or the runner of a workflow would act on', async () => {
    using world = await cliWorld()
    const source = freshName()
    world.write(
      'tidemark.yaml',
      JSON.stringify({ sources: { [source]: { repo: 'docs', ref: 'a\u009b2Jb\u202e##[group]' } } }),
    )
    const { stderr } = await world.run('sync --all --log json')
    expect(events(stderr).at(-1)).toMatchObject({ status: 'failed' })
    expect(stderr).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e]|##\[/u)
  })
})

describe('lines of a run', () => {
  test('begin with the time where standard error is no terminal, unless --no-log-time is given', async () => {
    using world = await cliWorld()
    oneSource(world)
    const lines = async (args: string) => (await world.run(args)).stderr.split('\n')
    for (const line of await lines('sync --all')) expect(line).toMatch(TIME)
    for (const line of await lines('sync --all --full --no-log-time')) expect(line).not.toMatch(TIME)
    const [failed] = await lines('sync --source none')
    expect(failed).toMatch(new RegExp(`${TIME.source}tidemark: there is no source "none"`))
  })

  test('have no time on a terminal, and stay there with --log-time', async () => {
    using world = await cliWorld()
    const source = oneSource(world, 'nowhere')
    const shown = async (args: string) => (await runInTerminal(world, args, { columns: 200 }).ended()).screen
    expect(await shown('sync --all')).not.toMatch(/\d\dT\d\d/)
    const screen = await shown('sync --all --log-time')
    expect(screen).toMatch(new RegExp(`${TIME.source}${source}: comparing`, 'm'))
    expect(screen).toMatch(new RegExp(`${TIME.source}tidemark: ${source}: `, 'm'))
  })
})
