import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cliWorld } from './world/cli-world.ts'

/** Has Node write down, in a file, each process that it starts. */
const noteProcesses = (file: string) =>
  `--import data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from 'node:fs'
  import { subscribe } from 'node:diagnostics_channel'
  const note = ({ spawnargs }) => appendFileSync(${JSON.stringify(file)}, spawnargs.join(' ') + '\\n')
  // Told of before it has its arguments.
  subscribe('child_process', ({ process }) => queueMicrotask(() => note(process)))
`)}`

/** A folder in which no database has been made, with temporary files of its own. */
async function worldWithoutDatabase() {
  const world = await cliWorld()
  world.write(
    'tidemark.yaml',
    'embedding: { url: "http://127.0.0.1:1/v1", model: m }\nsources: { docs: { repo: docs } }',
  )
  const temporary = join(world.folder, 'temporary')
  mkdirSync(temporary)
  const started = join(world.folder, 'started')
  const env = { DATABASE_URL: '', TMPDIR: temporary, NODE_OPTIONS: noteProcesses(started) }
  return {
    world,
    env,
    temporary,
    /** The processes that were started, beside git. */
    started: () =>
      existsSync(started)
        ? readFileSync(started, 'utf8')
            .split('\n')
            .filter((args) => args !== '' && !args.startsWith('git '))
        : [],
  }
}

describe('where an embedded database has not been made yet, it is neither made nor started by', () => {
  test.for<[string, number, string]>([
    ['runs', 0, 'There has been no run yet.'],
    ['runs --json', 0, '"runs": []'],
    ['status', 0, 'never synced'],
    ['status --json', 0, '"state": "never_synced"'],
    ['locks list', 0, 'No lease is held.'],
    ['locks break sync:docs', 0, 'sync:docs: absent'],
    ['sync --all --break-lock', 0, 'absent'],
    ['sync --all --dry-run', 0, '3 to be added'],
    ['embed --all --dry-run', 0, 'dry_run'],
    ['embed --gc --dry-run', 0, 'Would remove 0 embeddings'],
    ['search proxy', 0, 'the first sync of docs is not done yet; run: tidemark sync --all'],
    ['search proxy --json', 0, '"code": "never_synced"'],
    ['search proxy --mode vector', 1, 'there are no embeddings to search by'],
    ['show docs:a.md', 1, '"docs" has no page a.md: its first sync is not done yet'],
    ['sources remove docs --purge --yes', 0, 'Removed "docs"'],
    // For the server that embeds, which does not answer.
    ['doctor', 1, '! schema: not set up yet'],
    ['migrate --dry-run', 0, 'CREATE SCHEMA tidemark'],
  ])('tidemark %s', async ([args, exitCode, shown], { expect }) => {
    const { world, env, temporary, started } = await worldWithoutDatabase()
    using _ = world
    const ended = await world.run(args, env)
    expect(ended.stdout + ended.stderr).toContain(shown)
    expect(ended.exitCode).toBe(exitCode)
    expect(started()).toEqual([])
    expect(readdirSync(temporary)).toEqual([])
    expect(existsSync(join(world.folder, '.tidemark'))).toBe(false)
  })
})

test('a sync makes the embedded database, which is then read', { timeout: 120_000 }, async () => {
  const { world, env, started } = await worldWithoutDatabase()
  using _ = world
  expect(await world.run('sync --all', env)).toMatchObject({ exitCode: 0 })
  // What tells that no process was started sees one.
  expect(started().join()).toContain('pglite-process')
  expect((await world.run('runs', env)).stdout).toContain('first_sync')
})
