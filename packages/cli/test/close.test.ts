import { describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld, freshName } from './world/cli-world.ts'

const PG = new URL('../../../node_modules/pg/lib/index.js', import.meta.url)

/** Has the connections of the command end so. */
const closingWith = (promise: string) => ({
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    `import pg from ${JSON.stringify(PG.href)}; pg.Pool.prototype.end = () => ${promise}`,
  )}`,
})
const FAILING = closingWith(`Promise.reject(new Error('cut off'))`)
const SILENT = closingWith('new Promise(() => {})')

async function worldWithSource() {
  const world = await cliWorld()
  const source = freshName()
  world.write('tidemark.yaml', `sources: { ${source}: { repo: docs } }`)
  return { world, source }
}

const results = async (world: CliWorld, env: object) => {
  const { stdout, stderr, exitCode } = await world.run('sync --all --json', env as Record<string, string>)
  return { results: JSON.parse(stdout).results, stderr, exitCode }
}

describe('a database that fails when it is closed', () => {
  test('takes no result of a sync that has ended, and is told as a warning', async () => {
    const { world, source } = await worldWithSource()
    using _ = world
    expect(await results(world, FAILING)).toEqual({
      results: [expect.objectContaining({ source, status: 'first_sync', filesImported: 3 })],
      stderr: expect.stringMatching(
        /^\S+Z tidemark: warning: postgres:\/\/\S+ was not closed as it should be: cut off\n {2}/,
      ),
      exitCode: 0,
    })
  })

  test('leaves the exit code to the results', async () => {
    const { world, source } = await worldWithSource()
    using _ = world
    world.write('tidemark.yaml', `sources: { ${source}: { repo: nowhere } }`)
    expect(await results(world, FAILING)).toMatchObject({ results: [{ status: 'failed' }], exitCode: 1 })
  })

  test('does not stand in the place of the error of the work', async () => {
    const { world, source } = await worldWithSource()
    using _ = world
    const { stderr, exitCode } = await world.run(`show ${source}:none.md`, FAILING)
    expect(stderr).toContain(`tidemark: "${source}" has no page none.md`)
    expect(exitCode).toBe(1)
  })

  test('takes no finding of doctor', async () => {
    const { world } = await worldWithSource()
    using _ = world
    await world.run('migrate')
    expect(await world.run('doctor', FAILING)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('✓ schema'),
    })
  })
})

test('a database that goes silent when it is closed takes no result of a sync that has ended', async () => {
  const { world, source } = await worldWithSource()
  using _ = world
  expect(await results(world, SILENT)).toMatchObject({
    results: [{ source, status: 'first_sync' }],
    exitCode: 0,
  })
})
