import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { type EmbeddingServer, serveEmbeddings } from '@tidemark/test-engines/embedding-server'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'
import { runInTerminal } from './world/terminal.ts'

const PAGES = {
  'proxy.md': `---
tags: [dev, server]
---
# Proxy

The dev server can pass requests on.

## Websockets

A proxy for websockets needs \`ws\`.`,
  'port.md': '# Port\n\nThe dev server listens on a port.',
  'a build/steps.md': '# Steps\n\nThe server of a build is another. See [the proxy](../proxy.md) and [x](./x.md).',
}

// One world for all: nothing here changes anything.
let world: CliWorld
let database: FreshDatabase
beforeAll(async () => {
  world = await cliWorld()
  database = await freshDatabase('postgres')
  for (const [path, text] of Object.entries(PAGES)) world.write(`guide/${path}`, text)
  await world.git('guide').init()
  await world.commit('guide')
  world.write('tidemark.yaml', 'sources: { guide: { repo: guide }, docs: { repo: docs } }')
  await world.run('sync --all', { DATABASE_URL: database.url })
})
afterAll(async () => {
  world[Symbol.dispose]()
  await database.drop()
})

const run = (args: string) => world.run(args, { DATABASE_URL: database.url })

/** Without what depends on how fast the tests run. */
const undated = (text: string) => text.replace(/just now|\d+ min ago/g, '<ago>')

describe('tidemark search', () => {
  test('finds nothing of a configuration that wants no index, and all once it wants one', async () => {
    await using empty = { ...(await freshDatabase('postgres')), [Symbol.asyncDispose]: () => empty.drop() }
    const found = async (search: boolean) => {
      world.write('switch.yaml', `search: ${search}\nsources: { guide: { repo: guide } }`)
      const env = { DATABASE_URL: empty.url }
      await world.run('sync --all --config switch.yaml', env)
      return JSON.parse((await world.run('search websockets --json --config switch.yaml', env)).stdout).hits
    }
    expect(await found(false)).toEqual([])
    expect(await found(true)).toMatchObject([{ path: 'proxy.md' }])
  })

  test('tells title, page, headings, freshness and some of the text, the best first', async () => {
    const { exitCode, stdout, stderr } = await run('search websockets proxy')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(undated(stdout)).toBe(
      'Proxy  guide:proxy.md\n  Proxy › Websockets · synced <ago>\n  ## Websockets A proxy for websockets needs `ws`.',
    )
  })

  test('tells for how long a source is known to be behind', async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    const behind = (since: string) =>
      client.query(`UPDATE tidemark.sources SET behind_since = ${since} WHERE id = 'guide'`)
    await behind(`now() - interval '5 minutes'`)
    expect((await run('search websockets')).stdout).toMatch(/· behind for 5 min \d\d s, synced /)
    await behind('NULL')
    await client.end()
  })

  test.each([
    ['server -dev', ['guide:a build/steps.md']],
    ['-dev server', ['guide:a build/steps.md']],
    // -V alone is the version of the program.
    ['server -Vite -c --limit 1 -dev', ['guide:a build/steps.md']],
    ['server --source docs', []],
    ['dev server --limit=1 --source guide', [expect.any(String)]],
    ['--limit 5 -- server -dev', ['guide:a build/steps.md']],
  ])('takes "%s" for words with dashes and options as they are meant', async (args, pages) => {
    const { hits } = JSON.parse((await run(`search --json ${args}`)).stdout)
    expect(hits.map(({ source, path }: any) => `${source}:${path}`)).toEqual(pages)
  })

  test('names a page so that a shell can give it to tidemark show', async () => {
    const { stdout } = await run('search build')
    expect(stdout).toMatch(/^Steps {2}'guide:a build\/steps\.md'\n/)
  })

  test('says so where pages have only some of the words, and where nothing was found', async () => {
    const some = await run('search websockets zebracorn')
    expect(some).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('guide:proxy.md') })
    expect(some.stderr).toBe('No page has all of these words; these have some of them.')
    expect(await run('search zebracorn')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'Nothing was found for: zebracorn',
    })
  })

  test('shows in bold what was found on a terminal, and nothing of that in a pipe', async () => {
    const env = { DATABASE_URL: database.url }
    const terminal = runInTerminal(world, 'search websockets --source guide', { env })
    await terminal.ended()
    expect(terminal.raw()).toContain('for \u001b[1mwebsockets\u001b[22m needs')
    expect((await run('search websockets --source guide')).stdout).not.toContain('\u001b')
  })

  test('by meaning without embeddings says what to do, and exits 1', async () => {
    expect(await run('search websockets --mode vector')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^tidemark: there are no embeddings .*\n {2}.*tidemark embed --all$/),
    })
  })

  test('of a database that is not there finds nothing, and makes none', { timeout: 120_000 }, async () => {
    const none = { DATABASE_URL: undefined }
    expect(await world.run('search proxy', none)).toMatchObject({ exitCode: 0, stdout: '' })
    expect(await world.run('show guide:proxy.md', none)).toMatchObject({ exitCode: 1, stdout: '' })
    expect(existsSync(join(world.folder, '.tidemark'))).toBe(false)
    const empty = await freshDatabase('postgres')
    expect(await world.run('search proxy', { DATABASE_URL: empty.url })).toMatchObject({ exitCode: 0 })
    const client = new pg.Client({ connectionString: empty.url })
    await client.connect()
    const { rows } = await client.query(`SELECT to_regnamespace('tidemark') AS made`)
    await client.end()
    expect(rows).toEqual([{ made: null }])
    await empty.drop()
  })
})

describe('tidemark search of what has been embedded', () => {
  let server: EmbeddingServer
  let embedded: FreshDatabase
  beforeAll(async () => {
    server = await serveEmbeddings()
    embedded = await freshDatabase('pglite')
    world.write(
      'embed.yaml',
      `embedding: { url: "${server.url}", model: m, key: "sk-hunter2" }\nsources: { guide: { repo: guide } }`,
    )
    await find('sync --all')
    await find('embed --all')
  })
  afterAll(async () => {
    await server.close()
    await embedded.drop()
  })

  const find = (args: string) => world.run(`${args} --config embed.yaml`, { DATABASE_URL: embedded.url })

  test('finds by words and by meaning, and by either where it is told so', { timeout: 120_000 }, async () => {
    const mode = async (args: string) => JSON.parse((await find(`search ${args} --json`)).stdout)
    expect(await mode('websockets')).toMatchObject({ mode: 'hybrid', match: 'any', warnings: [] })
    expect(await mode('websockets --mode text')).toMatchObject({ mode: 'text', hits: [{ path: 'proxy.md' }] })
    expect(await mode('zebracorn --mode vector')).toMatchObject({
      mode: 'vector',
      match: null,
      hits: [{ ranks: { text: null, vector: 1 } }, {}, {}],
    })
  })

  test('goes by words alone where the server refuses, says so, and shows no key', async () => {
    server.faults.push({ status: 401 })
    const { exitCode, stdout, stderr } = await find('search websockets --verbose')
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('guide:proxy.md'),
    })
    expect(stderr).toMatch(/^tidemark: searched by words only: .* refuses the key \(401\)/m)
    expect(stdout + stderr).not.toContain('hunter2')
  })
})

describe('tidemark show', () => {
  test('prints a page with its front matter, what it links to and what links to it', async () => {
    expect(undated((await run('show guide:proxy.md')).stdout)).toBe(
      `Proxy  guide:proxy.md
synced <ago>

---
tags:
  - dev
  - server
---

${PAGES['proxy.md'].split('---\n')[2]}

Linked from
  'guide:a build/steps.md'  Steps`,
    )
    const { stdout } = await world.runEach(['show', 'guide:a build/steps.md', `--database=${database.url}`])
    expect(stdout).toContain('\n\nLinks to\n  ../proxy.md → guide:proxy.md\n  ./x.md')
  })

  test('of a page that is not there names those that come near, and exits 1', async () => {
    expect(await run('show guide:steps')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'tidemark: "guide" has no page steps\n  Did you mean a build/steps.md?',
    })
  })
})
