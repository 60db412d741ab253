import { openDatabase } from '@tidemark/sync-core'
import { freshDatabase } from '@tidemark/test-engines'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CliWorld, cliWorld, freshName } from './world/cli-world.ts'
import { query } from './world/query.ts'

/** The lease of a source in the hands of a process that no longer lives. */
const deadHolder = (source: string) => `
  INSERT INTO tidemark.locks (key, holder_id, holder_host, holder_pid, attempt_id, acquired_at, last_refreshed_at, expires_at)
  VALUES ('sync:${source}', 'dead', 'elsewhere', 4711, gen_random_uuid(), now() - interval '2 hours', now() - interval '1 hour', now() + interval '1 hour')
  ON CONFLICT (key) DO UPDATE SET holder_id = excluded.holder_id, holder_host = excluded.holder_host,
    holder_pid = excluded.holder_pid, attempt_id = excluded.attempt_id, last_refreshed_at = excluded.last_refreshed_at,
    expires_at = excluded.expires_at, token = DEFAULT`

async function oneSource() {
  const database = await freshDatabase('postgres')
  onTestFinished(database.drop)
  const world = await cliWorld(database.url)
  const source = freshName()
  world.write('tidemark.yaml', `sources: { ${source}: { repo: docs } }`)
  await world.run('migrate')
  return { world, source }
}

/** Runs the command that a line of output names. */
async function follow(world: CliWorld, output: string) {
  const command = /^ +tidemark (.*)$/m.exec(output)![1]!
  return world.run(command)
}

describe('tidemark doctor', () => {
  test('finds nothing wrong where all is well', async () => {
    const { world } = await oneSource()
    using _ = world
    const { exitCode, stdout } = await world.run('doctor')
    expect(exitCode).toBe(0)
    expect(stdout).not.toContain('✗')
    for (const found of ['git: git version', 'configuration: ', 'database: Postgres ', 'clock: ', 'schema: '])
      expect(stdout).toContain(`✓ ${found}`)
  })

  test('tells of a dead holder and the one command that frees its source and syncs it', async () => {
    const { world, source } = await oneSource()
    using _ = world
    await query(world.database, deadHolder(source))
    const sick = await world.run('doctor')
    expect(sick.exitCode).toBe(1)
    expect(sick.stdout).toContain(`✗ lease: ${source}: process 4711 on elsewhere holds its lease`)
    expect(await follow(world, sick.stdout)).toMatchObject({ exitCode: 0 })
    expect(await world.run('doctor')).toMatchObject({ exitCode: 0 })
  })

  test('tells of tables that are missing, and makes none itself', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    const database = await freshDatabase('postgres')
    const env = { DATABASE_URL: database.url }
    expect((await world.run('doctor', env)).stdout).toContain('! schema: not set up yet')
    expect(await query(database.url, `SELECT to_regnamespace('tidemark')::text AS made`)).toEqual([{ made: null }])
    expect((await world.run('migrate', env)).stdout).toContain('Updated the tables')
    expect((await world.run('doctor', env)).stdout).toContain('✓ schema')
    await query(database.url, 'INSERT INTO tidemark.migrations (version) VALUES (999)')
    expect((await world.run('doctor', env)).stdout).toContain('was migrated by a newer tidemark')
    await database.drop()
  })

  test.each([
    [
      'a database that does not answer',
      { DATABASE_URL: 'postgres://me:s3cret@127.0.0.1:1/x' },
      '✗ database: postgres://127.0.0.1:1/x does not answer',
    ],
    ['a git that is not there', { PATH: '/nowhere' }, '✗ git: the program "git" was not found'],
    ['a configuration that is wrong', {}, ':1:1: unknown key "sorces"', 'sorces: {}'],
    ['a source that cannot be read', {}, 'is not a git repository', 'sources: { docs: { repo: nowhere } }'],
    ['a ref that is not there', {}, 'has no ref "mian"', 'sources: { docs: { repo: docs, ref: mian } }'],
  ])('tells of %s, and of the rest as well', async (_, env, message, yaml = 'sources: { docs: { repo: docs } }') => {
    using world = await cliWorld()
    world.write('tidemark.yaml', yaml)
    const { exitCode, stdout, stderr } = await world.run('doctor', env)
    expect(exitCode).toBe(1)
    expect(stdout).toContain(message)
    expect(stdout).toMatch(/git: /)
    expect(stdout + stderr).not.toContain('s3cret')
  })

  test('says that http to an embedding server on another machine is not encrypted', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'embedding: { url: "http://embed.invalid/v1", model: m }\nsources: {}')
    const { stdout } = await world.run('doctor', { DATABASE_URL: undefined })
    expect(stdout).toContain('! embedding: http://embed.invalid/v1 is not encrypted')
  })

  test('tells who has an embedded database', { timeout: 180_000 }, async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    const embedded = await freshDatabase('pglite')
    const db = await openDatabase(embedded.url)
    const { stdout, exitCode } = await world.run('doctor', { DATABASE_URL: embedded.url })
    expect(stdout).toContain(`is in use by process ${process.pid}`)
    expect(exitCode).toBe(1)
    await db.close()
    await embedded.drop()
  })

  test('names what only the database still has, and how to remove it', async () => {
    const { world, source } = await oneSource()
    using _ = world
    await world.run('sync --all')
    await world.run(`sources remove ${source}`)
    expect((await world.run('doctor')).stdout).toContain(`tidemark sources remove ${source} --purge`)
  })
})

describe('tidemark status', () => {
  test('tells how far a source is behind, when it is due, what is set aside, and who syncs it', async () => {
    const { world, source } = await oneSource()
    using _ = world
    world.write('docs/broken.md', '---\na: [\n---\n# Broken')
    await world.commit('docs')
    await world.run('sync --all')
    const [before] = JSON.parse((await world.run('status --json')).stdout).sources
    expect(before).toMatchObject({
      state: 'up_to_date',
      behindMs: null,
      quarantined: 1,
      lease: null,
      problem: null,
    })
    expect(before.nextDueInMs).toBeGreaterThan(3_000_000)
    await world.commit('docs')
    await query(
      world.database,
      `UPDATE tidemark.sources SET behind_since = now() - interval '5 minutes', last_checked_at = now() - interval '2 hours' WHERE id = '${source}'`,
    )
    expect((await world.run('status')).stdout).toMatch(
      new RegExp(`${source} +behind 5m +overdue \\+1 +– +just now +now$`, 'm'),
    )
  })

  test('names the command that goes on after a mass deletion', async () => {
    const { world, source } = await oneSource()
    using _ = world
    await world.run('sync --all')
    await world.git('docs').rm(['a.md', 'b.md', 'c.md'])
    await world.commit('docs')
    await world.run('sync --all')
    const { stderr } = await world.run('status')
    expect(stderr).toContain(`tidemark sync --source ${source} --allow-mass-delete`)
    expect(await follow(world, stderr)).toMatchObject({ exitCode: 0 })
    expect((await world.run('status')).stderr).not.toContain('--allow-mass-delete')
  })

  test('names refs that are there while the one of a source is gone, and the sync once it is not', async () => {
    const { world, source } = await oneSource()
    using _ = world
    await world.run('sync --all')
    world.write('tidemark.yaml', `sources: { ${source}: { repo: docs, ref: mian } }`)
    await world.run('sync --all')
    expect((await world.run('status')).stderr).toMatch(
      /has no ref "mian"; nearest to it: main\n {2}tidemark sources set \S+ --ref main$/,
    )
    world.write('tidemark.yaml', `sources: { ${source}: { repo: docs, ref: main } }`)
    const { stderr } = await world.run('status')
    expect(stderr).toBe(
      `tidemark: ${source}: its last run failed: ${world.folder}/docs has no ref "mian"; nearest to it: main\n  tidemark sync --source ${source}`,
    )
    expect(await follow(world, stderr)).toMatchObject({ exitCode: 0 })
  })

  test('names no remedy of a mass deletion where the repository cannot be read', async () => {
    const { world, source } = await oneSource()
    using _ = world
    await world.run('sync --all')
    world.write('tidemark.yaml', `sources: { ${source}: { repo: docs, subpath: elsewhere } }`)
    expect(await world.run('sync --all')).toMatchObject({ exitCode: 3 })
    world.write('tidemark.yaml', `sources: { ${source}: { repo: nowhere } }`)
    const problem = `${world.folder}/nowhere is not a git repository`
    const fix = `Give the path of a work tree or of a bare repository: tidemark sources set ${source} --path <folder>`
    expect((await world.run('status')).stderr).toBe(`tidemark: ${source}: ${problem}\n  ${fix}`)
    const { stdout } = await world.run('status --json')
    expect(JSON.parse(stdout).sources).toMatchObject([{ id: source, lastStatus: 'blocked', problem, fix }])
  })
})

describe('a source that selects no file', () => {
  test('is synced, and sync, status and doctor warn of it until it selects some', { timeout: 180_000 }, async () => {
    const { world, source } = await oneSource()
    using _ = world
    world.write('docs/guide/more.md', '# more')
    await world.commit('docs')
    const configure = (subpath: string) =>
      world.write('tidemark.yaml', `sources: { ${source}: { repo: docs, subpath: ${subpath} } }`)
    configure('giude')
    const message = 'it has no folder "giude": did you mean guide?'
    const warnings = [{ code: 'nothing_selected', message }]
    const shown = `${source}: nothing_selected: ${message}\n  tidemark sources set ${source} --subpath guide`

    for (const status of ['first_sync', 'up_to_date']) {
      const synced = await world.run('sync --all')
      expect(synced).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(status) })
      expect(synced.stderr).toContain(`tidemark: ${shown}`)
    }
    const json = await world.run('sync --all --json')
    expect(JSON.parse(json.stdout).results).toMatchObject([{ source, status: 'up_to_date', warnings }])
    expect(await world.run('status')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`tidemark: ${shown}`),
    })
    expect(JSON.parse((await world.run('status --json')).stdout).sources).toMatchObject([{ id: source, warnings }])
    expect(await world.run('doctor')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`! source: ${shown}`),
    })
    expect(JSON.parse((await world.run('doctor --json')).stdout)).toMatchObject({
      healthy: true,
      findings: expect.arrayContaining([
        expect.objectContaining({ check: 'source', ok: true, message: `${source}: nothing_selected: ${message}` }),
      ]),
    })

    configure('guide')
    await world.run('sync --all')
    for (const command of ['sync --all', 'status', 'doctor', 'sync --all --json', 'status --json', 'doctor --json']) {
      const { stdout, stderr } = await world.run(command)
      expect(stdout + stderr).not.toContain('nothing_selected')
    }
  })
})

describe('tidemark migrate', () => {
  test('--dry-run prints SQL that makes exactly what migrate makes', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', '')
    const [byHand, byCommand] = [await freshDatabase('postgres'), await freshDatabase('postgres')]
    const { stdout } = await world.run('migrate --dry-run', { DATABASE_URL: byHand.url })
    await query(byHand.url, stdout)
    await world.run('migrate', { DATABASE_URL: byCommand.url })
    const columns = `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'tidemark' ORDER BY 1, 2`
    expect(await query(byHand.url, columns)).toEqual(await query(byCommand.url, columns))
    expect((await world.run('migrate', { DATABASE_URL: byHand.url })).stdout).toContain('are up to date')
    await Promise.all([byHand.drop(), byCommand.drop()])
  })

  test('--adopt adds heartbeat and fence to the leases of another program, and takes none of them', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', '')
    await query(
      world.database,
      `CREATE TABLE cycle_locks (id text PRIMARY KEY, holder_pid integer NOT NULL, holder_host text NOT NULL,
         acquired_at timestamptz NOT NULL DEFAULT now(), ttl_expires_at timestamptz NOT NULL)`,
      `INSERT INTO cycle_locks VALUES ('nightly', 7, 'elsewhere', now(), now() + interval '1 hour')`,
    )
    expect((await world.run('migrate --adopt cycle_locks')).stdout).toBe(
      'Adopted cycle_locks; 1 leases are held in it.',
    )
    expect(
      await query(
        world.database,
        'SELECT id, holder_pid, token > 0 AS fenced, last_refreshed_at IS NOT NULL AS beats FROM cycle_locks',
      ),
    ).toEqual([{ id: 'nightly', holder_pid: 7, fenced: true, beats: true }])
    expect(await world.run('migrate --adopt pg_class')).toMatchObject({ exitCode: 2 })
  })

  test('--adopt refuses a table that cannot hold leases, with the remedy', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', '')
    await query(
      world.database,
      `CREATE TABLE keyless_locks (id text NOT NULL, holder_pid integer NOT NULL, holder_host text NOT NULL,
         acquired_at timestamptz NOT NULL DEFAULT now(), ttl_expires_at timestamptz NOT NULL)`,
    )
    const refused = await world.run('migrate --adopt keyless_locks')
    expect(refused).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'tidemark: keyless_locks cannot hold leases: its column id is not unique\n  ALTER TABLE keyless_locks ADD PRIMARY KEY (id)',
    })
    await query(world.database, 'ALTER TABLE keyless_locks ADD PRIMARY KEY (id)')
    expect(await world.run('migrate --adopt keyless_locks')).toMatchObject({ exitCode: 0 })
  })
})
