import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { cliWorld, freshName } from './world/cli-world.ts'

const role = `reader_${process.pid}`
let owner: pg.Client | undefined
afterAll(async () => {
  await owner?.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
  await owner?.end()
})

test('a role that may only read and write rows runs every command on the tables that migrate --dry-run has shown', {
  timeout: 240_000,
}, async () => {
  using world = await cliWorld()
  const id = freshName()
  world.write('tidemark.yaml', `sources: { ${id}: { repo: docs }, vite: { repo: vite.git } }`)
  owner = new pg.Client({ connectionString: world.database })
  await owner.connect()
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  const url = new URL(world.database)
  url.username = role
  url.password = 'x'
  const run = (args: string) => world.run(args, { DATABASE_URL: url.href })

  const refused = await run('sync --all')
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('migrate --dry-run') })
  const { stdout: sql } = await run('migrate --dry-run')
  await owner.query(sql)
  await owner.query(`GRANT USAGE ON SCHEMA tidemark TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO ${role}`)

  expect(await run('migrate')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('up to date') })
  for (const args of [
    'sync --all --timeout 50s',
    `sync --source ${id} --full`,
    'sync --all --independent',
    'sync --all --dry-run',
    'sync --break-lock --all --max-age 1h',
    'status',
    'doctor',
    'runs',
    'locks list',
    `show ${id}:a.md`,
    'search plugin',
    'migrate --dry-run',
    `sources remove ${id} --purge --yes`,
  ])
    expect({ args, ...(await run(args)) }).toMatchObject({
      args,
      exitCode: 0,
      stderr: expect.not.stringMatching(/denied|owner/),
    })
})
