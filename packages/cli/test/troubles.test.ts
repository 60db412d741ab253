/**
 * Troubles that are made on purpose: `status`, `status --check` and `doctor` tell each, and the steps that `--json` names,
 * run as they are printed one after another, mend it.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { openDatabase } from '@tidemark/sync-core'
import { engines, freshDatabase } from '@tidemark/test-engines'
import { serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { serveGit } from '@tidemark/test-engines/git-server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'

interface Scene {
  readonly world: CliWorld
  /** Writes the configuration of the source `docs`. */
  configure(settings: string, more?: string): void
  /** Runs statements as the owner of the database. */
  sql(...statements: string[]): Promise<void>
  /** Syncs, however that ends. */
  sync(): Promise<unknown>
}

const PAGES = { 'guide/a.md': '# A', 'guide/b.md': '# B', 'guide/c.md': '# C' }

/** A source `docs` that is synced, fresh and whole, in a database of its own. */
async function scene(engine: (typeof engines)[number]): Promise<Scene> {
  const database = await freshDatabase(engine)
  const world = await cliWorld(database.url)
  onTestFinished(async () => {
    world[Symbol.dispose]()
    await database.drop()
  })
  for (const [path, text] of Object.entries(PAGES)) world.write(`docs/${path}`, text)
  await world.commit('docs')
  const configure = (settings: string, more = '') =>
    world.write('tidemark.yaml', `${more}\nsources:\n  docs: { repo: docs, ${settings} }\n`)
  configure('ref: main, subpath: guide')
  expect(await world.run('sync --all')).toMatchObject({ exitCode: 0 })
  const sql = async (...statements: string[]) => {
    const db = await openDatabase(database.url)
    for (const statement of statements) await db.query(statement)
    await db.close()
  }
  return { world, configure, sql, sync: () => world.run('sync --all') }
}

interface Told {
  readonly code: string
  readonly message: string
  readonly nextStep: string
}

/** The first problem that `status` tells; that it cannot read the database is one of these. */
async function firstProblem(world: CliWorld): Promise<Told | null> {
  const { stdout, stderr } = await world.run('status --json')
  if (!stdout.startsWith('{') || !('sources' in JSON.parse(stdout))) {
    const [message, nextStep] = (await world.run('status')).stderr.split('\n  ')
    return { code: 'error', message: message!.replace('tidemark: ', ''), nextStep: nextStep ?? stderr }
  }
  const { problems, sources } = JSON.parse(stdout)
  return [...problems, ...sources[0].problems][0] ?? null
}

const MAX_STEPS = 4
/** A step is one, or ends with one. */
const COMMAND = /(?<=^|: )tidemark .*$/

/** Takes the steps that are named until all is well. @returns those that were taken. */
async function followSteps({ world, sql }: Scene): Promise<string[]> {
  const steps: string[] = []
  for (let problem = await firstProblem(world); problem !== null; problem = await firstProblem(world)) {
    expect(steps.length, `${steps.join('\n')}\n${problem.message}`).toBeLessThan(MAX_STEPS)
    const command = COMMAND.exec(problem.nextStep)?.[0]
    steps.push(command ?? problem.nextStep)
    if (command) expect(await world.shell(command, { TOKEN: 's3cret' })).toMatchObject({ exitCode: 0 })
    else await sql(...problem.nextStep.split('; '))
  }
  expect(await world.run('status --check')).toMatchObject({ exitCode: 0, stderr: '' })
  return steps
}

/** That all three tell a trouble, and the same step. @returns what is told */
async function expectTold(world: CliWorld, told: Partial<Told>): Promise<Told> {
  const problem = (await firstProblem(world))!
  expect(problem).toMatchObject(told)
  const { exitCode } = await world.run('status --check --quiet')
  expect(exitCode).toBe(problem.code === 'error' ? 1 : 5)
  const doctor = await world.run('doctor')
  expect(doctor.exitCode).toBe(1)
  expect(doctor.stdout).toContain(problem.nextStep)
  return problem
}

const containing = (text: string) => expect.stringContaining(text)

describe.each(engines)('on %s', { timeout: 240_000 }, (engine) => {
  test('a branch that was renamed', async () => {
    const made = await scene(engine)
    await made.world.git('docs').raw('branch', '-m', 'main', 'trunk')
    await made.sync()
    await expectTold(made.world, { code: 'unreachable', message: containing('its default branch is called trunk') })
    expect((await made.world.run('runs --failed')).stdout).toContain('default branch is called trunk')
    expect(await followSteps(made)).toEqual(['tidemark sources set docs --ref trunk', 'tidemark sync --source docs'])
  })

  test('a folder that is misspelled, by which all pages would go', async () => {
    const made = await scene(engine)
    made.configure('ref: main, subpath: giude')
    await made.sync()
    await expectTold(made.world, { code: 'stuck', message: containing('did you mean guide?') })
    expect(await followSteps(made)).toEqual([
      'tidemark sources set docs --subpath guide',
      'tidemark sync --source docs',
    ])
  })

  test('a commit that deletes most pages', async () => {
    const made = await scene(engine)
    await made.world.git('docs').raw('rm', '-rq', 'guide')
    made.world.write('docs/guide/d.txt', 'D')
    await made.world.commit('docs')
    await made.sync()
    await expectTold(made.world, { code: 'stuck', message: containing('3 of 3 pages would be deleted') })
    await made.world.shell('tidemark sync --source docs --allow-mass-delete')
  })

  test('more files than a source may have', async () => {
    const made = await scene(engine)
    made.configure('ref: main, subpath: guide, maxFiles: 3')
    made.world.write('docs/guide/d.md', '# D')
    await made.world.commit('docs')
    await made.sync()
    await expectTold(made.world, { code: 'stuck', message: containing('has 4 files in guide') })
    expect(await followSteps(made)).toEqual(['tidemark sources set docs --max-files 4', 'tidemark sync --source docs'])
  })

  test('tables of a newer release', async () => {
    const made = await scene(engine)
    await made.sql('INSERT INTO tidemark.migrations (version) VALUES (999)')
    await expectTold(made.world, {
      message: containing('was migrated by a newer tidemark (schema 999'),
      nextStep: containing('Update tidemark'),
    })
  })

  test('tables of an older release, with all that is in them', async () => {
    const made = await scene(engine)
    await made.sql(
      'DELETE FROM tidemark.migrations WHERE version >= 9',
      'DROP VIEW tidemark.changes',
      'DROP TABLE tidemark.deleted_pages, tidemark.renamed_pages',
      'ALTER TABLE tidemark.pages DROP COLUMN seq, DROP COLUMN added_seq, DROP COLUMN commit_oid',
      'ALTER TABLE tidemark.sources DROP COLUMN seq, DROP COLUMN expired_seq',
    )
    await expectTold(made.world, { message: containing('are older than this release'), nextStep: 'tidemark migrate' })
    for (const command of ['runs', 'show docs:guide/a.md', 'quarantine'])
      expect((await made.world.run(command)).stderr).not.toContain('column')
    expect(await followSteps(made)).toEqual(['tidemark migrate'])
  })

  test('a page to log in where the repository was', async () => {
    const made = await scene(engine)
    const http = createServer((_, response) => response.end('<html>Sign in</html>')).listen(0, '127.0.0.1')
    await once(http, 'listening')
    onTestFinished(() => void http.close())
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/docs/.git`
    made.world.write('tidemark.yaml', `sources:\n  docs: { repo: ${url}, ref: main, subpath: guide }\n`)
    await made.sync()
    await expectTold(made.world, {
      code: 'unreachable',
      message: containing('a page of the web, perhaps one to log in'),
      nextStep: containing(`tidemark sources set docs --url '${url.replace('//', '//user:${TOKEN}@')}'`),
    })
  })

  test('a server that asks for a token, which is kept out of the configuration', async () => {
    const made = await scene(engine)
    const git = await serveGit(join(made.world.folder, 'docs'))
    onTestFinished(git.close)
    Object.assign(git, { password: 's3cret', username: 'user' })
    const url = `${git.url}/.git`
    made.world.write('tidemark.yaml', `sources:\n  docs: { repo: "${url}", ref: main, subpath: guide }\n`)
    await made.sync()
    const refused = { code: 'unreachable', message: containing('refuses the credentials') }
    const { nextStep } = await expectTold(made.world, refused)
    const [command] = COMMAND.exec(nextStep)!
    expect(await made.world.shell(command, { TOKEN: 'wrong' })).toMatchObject({ exitCode: 2 })
    expect(await made.world.shell(command)).toMatchObject({ exitCode: 2, stderr: containing('TOKEN is not set') })
    expect(await made.world.shell(command, { TOKEN: 's3cret' })).toMatchObject({ exitCode: 0 })
    expect(await made.world.run('sync --all', { TOKEN: 's3cret' })).toMatchObject({ exitCode: 0 })
    expect(await made.world.run('status --check', { TOKEN: 's3cret' })).toMatchObject({ exitCode: 0 })
    expect((await made.world.shell('cat tidemark.yaml')).stdout).toContain('//user:${TOKEN}@')
  })

  test('a source that only the database knows', async () => {
    const made = await scene(engine)
    made.world.write('tidemark.yaml', 'sources: {}')
    const { problems } = JSON.parse((await made.world.run('status --json')).stdout)
    expect(problems).toMatchObject([{ code: 'only_in_database', nextStep: 'tidemark sources remove docs --purge' }])
    expect(await made.world.run('status --check')).toMatchObject({ exitCode: 5, stderr: containing('docs') })
    // Without a terminal nobody can be asked.
    expect(await made.world.shell(`${problems[0].nextStep} --yes`)).toMatchObject({ exitCode: 0 })
    expect(await made.world.run('status --check')).toMatchObject({ exitCode: 0 })
  })
})

describe.runIf(engines.includes('postgres'))('on a server', { timeout: 120_000 }, () => {
  test('a database that is read-only', async () => {
    const made = await scene('postgres')
    const name = new URL(made.world.database).pathname.slice(1)
    await made.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
    made.world.write('docs/guide/d.md', '# D')
    await made.world.commit('docs')
    const { stderr } = (await made.sync()) as { stderr: string }
    expect(stderr).toContain('tidemark doctor')
    await expectTold(made.world, { code: 'read_only', message: containing('is read-only') })
    // What a sync would mend is not told while none can write.
    expect(JSON.parse((await made.world.run('status --json')).stdout).sources[0].problems).toEqual([])
    expect(await followSteps(made)).toEqual([
      `BEGIN READ WRITE; ALTER DATABASE ${name} RESET default_transaction_read_only; COMMIT`,
      'tidemark sync --source docs',
    ])
  })

  test.each([
    [
      'to write a table',
      'REVOKE INSERT, UPDATE ON tidemark.pages FROM',
      'INSERT on pages; UPDATE on pages',
      'rights_missing',
    ],
    ['to read a table', 'REVOKE SELECT ON tidemark.sources FROM', 'SELECT on sources', 'error'],
    ['to use the schema', 'REVOKE USAGE ON SCHEMA tidemark FROM', 'USAGE on the schema tidemark', 'error'],
  ])('the right %s, which was revoked', async (_, revoke, missing, code) => {
    const made = await scene('postgres')
    const role = `writer_${process.pid}_${Math.random().toString(36).slice(2)}`
    await made.sql(
      `CREATE ROLE ${role} LOGIN PASSWORD 'x'`,
      `GRANT USAGE ON SCHEMA tidemark TO ${role}`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO ${role}`,
    )
    onTestFinished(() => made.sql(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`))
    const url = Object.assign(new URL(made.world.database), { username: role, password: 'x' }).href
    const env = { DATABASE_URL: url }
    const world: CliWorld = {
      ...made.world,
      run: (args, more) => made.world.run(args, { ...env, ...more }),
      shell: (line, more) => made.world.shell(line, { ...env, ...more }),
    }
    const limited = { ...made, world }
    expect(await world.run('status --check')).toMatchObject({ exitCode: 0 })
    await made.sql(`${revoke} ${role}`)
    made.world.write('docs/guide/d.md', '# D')
    await made.world.commit('docs')
    expect(await world.run('sync --all')).toMatchObject({ exitCode: 1 })
    await expectTold(world, { code, message: containing(missing) })
    expect((await followSteps(limited))[0]).toBe(
      `GRANT USAGE ON SCHEMA tidemark TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO ${role}`,
    )
  })

  test('a server that has no connection left', async () => {
    const made = await scene('postgres')
    const name = new URL(made.world.database).pathname.slice(1)
    const role = `late_${process.pid}`
    await made.sql(
      `CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT 0`,
      `GRANT CONNECT ON DATABASE ${name} TO ${role}`,
    )
    onTestFinished(() => made.sql(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`))
    const env = { DATABASE_URL: Object.assign(new URL(made.world.database), { username: role, password: 'x' }).href }
    for (const command of ['status', 'status --check', 'doctor']) {
      const { exitCode, stdout, stderr } = await made.world.run(command, env)
      expect(exitCode).toBe(1)
      expect(stdout + stderr).toMatch(/has no connection left: .*\n +Raise max_connections or the limit of the role/)
    }
  })
})

describe.runIf(engines.includes('pglite'))('where embeddings can be stored', { timeout: 240_000 }, () => {
  test('a server that embeds and does not answer', async () => {
    const made = await scene('pglite')
    const server = await serveEmbeddings()
    await server.close()
    const { port } = new URL(server.url)
    made.configure('ref: main, subpath: guide', `embedding: { url: "${server.url}", model: m }`)
    const { exitCode, stdout } = await made.world.run('embed --all --timeout 3s --json')
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout).results).toMatchObject([
      { status: 'failed', reason: 'embedding_failed', error: { message: containing('cannot be reached') } },
    ])
    await expectTold(made.world, { code: 'embeddings_incomplete', message: containing('cannot be reached') })
    expect((await made.world.run('doctor')).stdout).toMatch(
      /✗ embedding: 127\.0\.0\.1:\d+ cannot be reached.*\n {2}Start the server/,
    )
    const again = await serveEmbeddings(undefined, Number(port))
    onTestFinished(again.close)
    expect(await followSteps(made)).toEqual(['tidemark embed --source docs'])
    expect((await made.world.run('doctor')).stdout).toContain(`✓ embedding: 127.0.0.1:${port} embeds by m`)
  })
})
