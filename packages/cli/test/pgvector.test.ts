import { type EmbeddingServer, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { freshVectorDatabase, type VectorDatabase } from '@tidemark/test-engines/vector-database'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'
import { query as queryDatabase } from './world/query.ts'

let server: EmbeddingServer
let database: VectorDatabase
let world: CliWorld
beforeAll(async () => {
  server = await serveEmbeddings()
  database = await freshVectorDatabase()
  world = await cliWorld()
  const sources = '{ docs: { repo: docs }, copy: { repo: docs } }'
  world.write('tidemark.yaml', `embedding: { url: "${server.url}", model: m }\nsources: ${sources}`)
  await run('sync --all')
}, 120_000)
afterAll(async () => {
  world[Symbol.dispose]()
  await server.close()
  await database.drop()
})

const run = (args: string, url = database.url) => world.run(args, { DATABASE_URL: url })
const query = (...statements: string[]) => queryDatabase(database.url, ...statements)

async function dropIndex() {
  const [{ name }] = await query(
    `SELECT indexname AS name FROM pg_indexes WHERE tablename = 'embeddings' AND indexdef LIKE '%hnsw%'`,
  )
  await query(`DROP INDEX tidemark.${name}`)
}

const NO_INDEX =
  '! embedding: the vectors of m have no index, and a search compares each of them\n  tidemark embed --all'

describe('a Postgres with pgvector', { timeout: 120_000 }, () => {
  test('has it available until something is embedded, and then installed, which doctor tells apart', async () => {
    const before = await run('doctor')
    expect(before).toMatchObject({ exitCode: 0 })
    expect(before.stdout).toMatch(/✓ embedding: m; the server of .* has pgvector [\d.]+, which is not installed in/)

    expect(await run('embed --all')).toMatchObject({ exitCode: 0 })

    const after = await run('doctor')
    expect(after.stdout).toMatch(/✓ embedding: m; .* has pgvector [\d.]+$/m)
    expect(after.stdout).not.toContain('no index')
  })

  test('where another process embeds a source has that one busy, and embeds the rest', async () => {
    await query(
      `DELETE FROM tidemark.locks WHERE key = 'embed:docs'`,
      `INSERT INTO tidemark.locks (key, holder_id, holder_host, holder_pid, attempt_id, acquired_at, last_refreshed_at, expires_at)
       VALUES ('embed:docs', 'other', 'elsewhere', 4711, gen_random_uuid(), now(), now(), now() + interval '1 hour')`,
      'DELETE FROM tidemark.embeddings',
    )
    const { exitCode, stdout, stderr } = await run('embed --all')
    await query(`DELETE FROM tidemark.locks WHERE key = 'embed:docs'`)
    expect(exitCode).toBe(4)
    expect(stdout).toMatch(/docs +busy +0 .*\ncopy +synced +3 /)
    expect(stderr).toContain('docs: being embedded by process 4711 on elsewhere')
  })

  test('that lacks the index is told of by doctor, and gets it from what migrate --dry-run prints', async () => {
    await dropIndex()
    const doctor = await run('doctor')
    expect(doctor).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(NO_INDEX) })
    const { stdout: sql } = await run('migrate --dry-run')
    expect(sql).toMatch(/^CREATE INDEX IF NOT EXISTS embeddings_\w+ ON tidemark\.embeddings USING hnsw .*;$/m)

    await query(...sql.split(';\n'))

    expect((await run('doctor')).stdout).not.toContain('no index')
    expect(await run('migrate --dry-run')).toMatchObject({ stdout: '', stderr: 'The tables are up to date.' })
  })

  test('that has no time for the index is tried once a command, which fails and says what to run', async (context) => {
    context.skip(!database.isServer, 'PGlite cancels nothing')
    await dropIndex()
    const writer = new pg.Client({ connectionString: database.url })
    await writer.connect()
    await writer.query('BEGIN')
    await writer.query('LOCK TABLE tidemark.embeddings IN ROW EXCLUSIVE MODE')
    const hurried = new URL(database.url)
    hurried.searchParams.set('options', '-c statement_timeout=1s')

    const { exitCode, stdout, stderr } = await run('embed --all', hurried.href)

    await writer.end()
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/docs +failed \(not_indexed\) .*\ncopy +up_to_date /)
    expect(stderr).toMatch(/statement_timeout is 1s\n {2}Run it with PGOPTIONS.* tidemark migrate --dry-run/)
  })

  test('serves a role that may only read and write rows, once a DBA has run what migrate --dry-run prints', async (context) => {
    context.skip(!database.isServer, 'PGlite has one role')
    const own = await freshVectorDatabase()
    const role = `writer_${process.pid}`
    onTestFinished(async () => {
      await queryDatabase(own.url, `DROP OWNED BY ${role}`, `DROP ROLE ${role}`)
      await own.drop()
    })
    const url = new URL(own.url)
    url.username = role
    url.password = 'x'
    const asDba = async () => queryDatabase(own.url, (await run('migrate --dry-run', url.href)).stdout)
    await queryDatabase(own.url, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
    await asDba()
    await queryDatabase(
      own.url,
      `GRANT USAGE ON SCHEMA tidemark TO ${role}`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO ${role}`,
    )

    expect(await run('sync --all', url.href)).toMatchObject({ exitCode: 0 })
    expect(await run('embed --all', url.href)).toMatchObject({ exitCode: 0 })
    await asDba()

    expect(await run('migrate --dry-run', url.href)).toMatchObject({ stdout: '' })
    expect((await run('doctor', url.href)).stdout).not.toMatch(/✗|no index/)
    expect(await run('search --mode vector page', url.href)).toMatchObject({ exitCode: 0, stderr: '' })
  })
})
