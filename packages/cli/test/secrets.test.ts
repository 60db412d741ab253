import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@tidemark/sync-core'
import { freshDatabase } from '@tidemark/test-engines'
import { serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import { serveGit } from '@tidemark/test-engines/git-server'
import { commandLines } from '@tidemark/test-engines/processes'
import pg from 'pg'
import { expect, test } from 'vitest'
import { cliWorld, freshName } from './world/cli-world.ts'

const SECRET = 'hunter2-s3cret'

// Each in plain words, with all that can be told, and in the process of another.
test.each(['', ' --verbose', ' --json --verbose', ' --independent --verbose', ' --log=json --verbose'])(
  'no password of an address or of the environment is printed by anything%s',
  async (flags) => {
    using world = await cliWorld()
    const name = freshName()
    world.write(
      'tidemark.yaml',
      `sources:
  ${name}: { repo: "https://me:\${TOKEN}@127.0.0.1:1/team/docs.git" }
  ${name}-token: { repo: "https://\${TOKEN}@127.0.0.1:1/team/docs.git" }
  ${name}-empty: { repo: "https://\${TOKEN}:@127.0.0.1:1/team/docs.git" }
  ${name}-scp: { repo: "ssh://me:\${TOKEN}@127.0.0.1:1/team/docs.git" }
  ${name}-odd: { repo: docs, ref: main }
`,
    )
    const wrong = new URL(world.database)
    wrong.password = SECRET
    wrong.port = '1'
    const quiet = flags.replace(/ --(independent|log=json)/, '')
    const calls = [
      [`sync --all${flags}`, {}],
      [`sync --all --timeout 60${flags}`, { DATABASE_URL: wrong.href }],
      [`status${quiet}`, {}],
      [`doctor${quiet}`, {}],
      [`doctor${quiet}`, { DATABASE_URL: wrong.href }],
      [`sources list${quiet}`, {}],
      [`runs${quiet}`, {}],
    ] as const
    const told = await Promise.all(
      calls.map(([args, env]) => world.run(args, { TOKEN: SECRET, GIT_SSH_COMMAND: 'false', ...env })),
    )
    for (const { stdout, stderr } of told) expect(stdout + stderr).not.toContain(SECRET)
    expect(told[1]!.exitCode).toBe(1)
  },
)

test.each([
  'https://127.0.0.1:1/docs.git?access_token=${TOKEN}',
  'https://127.0.0.1:1/docs.git?private_token=${TOKEN}',
  'me:${TOKEN}@127.0.0.1/team/docs.git',
  '//me:${TOKEN}@127.0.0.1/team/docs.git',
])('the address %s is not fetched, and is refused without its secret', async (repo) => {
  using world = await cliWorld()
  world.write('tidemark.yaml', `sources: { docs: { repo: "${repo}" } }`)
  const { exitCode, stdout, stderr } = await world.run('status --verbose', { TOKEN: SECRET })
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toContain('has an address that is not fetched')
  expect(stderr).not.toContain(SECRET)
})

test.each(['p/${TOKEN}', 'p?${TOKEN}', 'p#${TOKEN}', '${TOKEN}%0A'])(
  'an address whose password is %s cannot be read, and is refused without it',
  async (password) => {
    using world = await cliWorld()
    world.write('tidemark.yaml', `sources: { docs: { repo: "https://me:${password}@127.0.0.1:1/team/docs.git" } }`)
    const { exitCode, stdout, stderr } = await world.run('status --verbose', { TOKEN: SECRET })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('has an address that is not fetched')
    expect(stderr).not.toContain(SECRET)
  },
)

test.each([
  ['DATABASE_URL', 1, `host=127.0.0.1 password=${SECRET}`, 'sync --all'],
  ['DATABASE_URL', 1, `"postgres://me:${SECRET}@127.0.0.1:1/x"`, 'sync --all --independent'],
  ['DATABASE_URL', 1, `postgres://me:p/${SECRET}@127.0.0.1:1/x`, 'status'],
  ['tidemark.yaml', 2, `jdbc:postgresql://127.0.0.1:1/x?password=${SECRET}`, 'sync --all --verbose'],
  ['tidemark.yaml', 2, ` postgres://me:${SECRET}@127.0.0.1:1/x`, 'doctor'],
])(
  'a database address that cannot be read, in %s, exits %i, makes no folder and is not shown: %s',
  async (place, code, address, args) => {
    using world = await cliWorld()
    const inFile = place === 'tidemark.yaml'
    const database = inFile ? `database: ${JSON.stringify(address)}\n` : ''
    world.write('tidemark.yaml', `${database}sources: { docs: { repo: docs } }`)
    const before = readdirSync(world.folder)
    const { exitCode, stdout, stderr } = await world.run(args, { DATABASE_URL: inFile ? undefined : address })
    expect(exitCode).toBe(args === 'doctor' ? 1 : code)
    expect(stdout + stderr).toContain('The database address is neither Postgres nor a folder')
    expect(stdout + stderr).not.toContain(SECRET)
    expect(readdirSync(world.folder)).toEqual(before)
  },
)

/** All that a password must survive: an address, a shell, a line of a helper, a literal of SQL. */
const AWKWARD = `p/?#@: %25'"\\$(id)\`ü&=|${SECRET}`

test.each(['postgres', 'pglite'] as const)(
  'no password or key is in any output, table, file or argument of a process that it is used by, with %s',
  { timeout: 300_000 },
  async (engine) => {
    using world = await cliWorld()
    await using stack = new AsyncDisposableStack()
    const git = await serveGit(join(world.folder, 'docs'))
    const embeddings = await serveEmbeddings()
    stack.defer(() => git.close())
    stack.defer(() => embeddings.close())
    git.password = AWKWARD
    const [name, role] = [freshName(), `awkward_${Date.now()}`]
    const [token, key] = [encodeURIComponent(AWKWARD), `sk-${SECRET}`]
    world.write(
      'tidemark.yaml',
      `embedding: { url: "${embeddings.url}", key: "\${KEY}", model: m }
sources:
  ${name}: { repo: "${git.url.replace('://', '://me:${TOKEN}@')}/.git" }
  ${name}-wrong: { repo: "${git.url.replace('://', '://you:${TOKEN}@')}/.git" }
`,
    )
    const database = engine === 'pglite' ? null : await freshDatabase('postgres')
    let address = join(world.folder, '.tidemark/db')
    if (database !== null) {
      const client = new pg.Client({ connectionString: world.database })
      await client.connect()
      await client.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD ${client.escapeLiteral(AWKWARD)}`)
      stack.defer(async () => {
        await database.drop()
        await client.query(`DROP ROLE ${role}`)
        await client.end()
      })
      address = database.url.replace(/\/\/.*@/, `//${role}:${token}@`)
    }
    const seen = new Set<string>()
    const sampler = setInterval(() => {
      for (const line of commandLines()) seen.add(line)
    }, 5)
    stack.defer(() => clearInterval(sampler))

    const env = { TOKEN: token, KEY: key, DATABASE_URL: engine === 'pglite' ? undefined : address }
    const outputs = []
    for (const args of [
      ...['sync --all --verbose', 'sync --all --json --independent', 'sync --all --full --quiet', 'status --verbose'],
      ...['embed --all --verbose', 'search a --verbose', 'doctor --verbose', 'runs --json', 'sources list --json'],
    ])
      outputs.push(await world.run(args, env))
    clearInterval(sampler)

    expect(outputs[0]!.stdout).toMatch(new RegExp(`${name} +first_sync`))
    expect([...seen].filter((line) => line.includes('git-remote-http'))).not.toEqual([])
    const texts = [
      ...outputs.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      ...seen,
      ...filesBelow(join(world.folder, '.tidemark')).map((file) => readFileSync(file, 'latin1')),
      ...(await dump(address)),
    ]
    const basic = Buffer.from(`me:${AWKWARD}`).toString('base64')
    expect(texts.filter((text) => text.includes(SECRET) || text.includes(basic.slice(0, 20)))).toEqual([])
  },
)

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Each row of each table. */
async function dump(address: string): Promise<string[]> {
  const db = await openDatabase(address)
  const { rows } = await db.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'tidemark'`,
  )
  const tables = []
  for (const { name } of rows)
    tables.push(...(await db.query(`SELECT t::text AS row FROM tidemark."${name}" AS t`)).rows)
  await db.close()
  expect(tables.length).toBeGreaterThan(3)
  return tables.map(({ row }) => row)
}
