import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { openDatabase } from '@tidemark/sync-core'
import { engines, freshDatabase } from '@tidemark/test-engines'
import { execa } from 'execa'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BIN, type CliWorld, cliWorld } from './world/cli-world.ts'

/** An assistant that is connected to `tidemark mcp` in a folder. */
async function connect(world: CliWorld) {
  const env = Object.fromEntries(
    Object.entries({ ...process.env, ...world.env }).filter(([, value]) => value !== undefined),
  )
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BIN, 'mcp'],
    cwd: world.folder,
    env: env as Record<string, string>,
    stderr: 'pipe',
  })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  onTestFinished(() => client.close())
  const call = async (name: string, args: object = {}) => {
    const { isError, content, structuredContent } = await client.callTool({ name, arguments: { ...args } })
    return { isError, text: (content as { text: string }[])[0]!.text, data: structuredContent as any }
  }
  return { client, transport, call }
}

async function sql(url: string, statement: string) {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(statement)
  await client.end()
}

/** A world whose source `docs` is synced, with an address on GitHub in the configuration. */
async function synced(engine: (typeof engines)[number] = 'postgres') {
  const database = await freshDatabase(engine)
  onTestFinished(() => database.drop())
  const world = await cliWorld(database.url)
  world.write(
    'docs/guide/start here.md',
    '# Start\n\nFirst words.\n\n## Install it\n\nRun the zebracorn installer. See [a](../a.md).\n\n### On Linux\n\nUse tar.\n\n## Use it\n\nGo.',
  )
  const commit = await world.commit('docs')
  world.write('tidemark.yaml', 'sources: { docs: { repo: docs }, never: { repo: docs } }')
  await world.run('sync --source docs')
  return { world, commit, url: database.url }
}

describe.each(engines)('tidemark mcp on %s', (engine) => {
  test('finds a page, cites it, and reads it and its section by that', async () => {
    const { world } = await synced(engine)
    using _ = world
    const { client, call } = await connect(world)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['search', 'read_page', 'list_sources', 'changes'])
    for (const { annotations } of tools) expect(annotations).toMatchObject({ readOnlyHint: true })

    const { data, text } = await call('search', { query: 'zebracorn' })
    expect(data.hits).toMatchObject([
      {
        citation: 'docs:guide/start here.md#install-it',
        url: null,
        headingPath: ['Start', 'Install it'],
        lastSyncedAt: expect.any(String),
        behindMs: null,
      },
    ])
    expect(text).toContain('docs:guide/start here.md#install-it')
    const [{ citation }] = data.hits
    const section = await call('read_page', { page: citation })
    expect(section.data.content).toContain('zebracorn')
    expect(section.data.content).toContain('### On Linux')
    expect(section.data.content).not.toContain('Go.')
    expect(section.data.links).toEqual(['docs:a.md'])
    const whole = await call('read_page', { page: citation.split('#')[0] })
    expect(whole.data.content).toMatch(/^# Start.*Go\.$/s)
    expect((await call('read_page', { page: 'docs:guide/start here.md', heading: 'Use it' })).data.content).toBe(
      '## Use it\n\nGo.',
    )
    expect((await call('read_page', { page: 'docs:a.md' })).data.backlinks).toEqual(['docs:guide/start here.md'])
  })

  test('finds the section again that was cited, where headings repeat', async () => {
    const { world } = await synced(engine)
    using _ = world
    world.write(
      'docs/ref.md',
      '# Ref\n\n## Alpha\n\n### Example\n\nfirstquux\n\n## Beta\n\n### Example\n\nsecondquux\n\n### Example\n\nthirdquux',
    )
    await world.commit('docs')
    await world.run('sync --source docs')
    const { call } = await connect(world)
    for (const [word, anchor] of [
      ['firstquux', 'example'],
      ['secondquux', 'example-1'],
      ['thirdquux', 'example-2'],
    ]) {
      const [hit] = (await call('search', { query: word })).data.hits
      expect(hit.citation).toBe(`docs:ref.md#${anchor}`)
      const { content } = (await call('read_page', { page: hit.citation })).data
      expect(content).toBe(`### Example\n\n${word}`)
    }
  })

  test('tells what has changed since a cursor, and how fresh its sources are', async () => {
    const { world, commit } = await synced(engine)
    using _ = world
    const { call } = await connect(world)
    const first = await call('changes', { source: 'docs', limit: 3 })
    expect(first.data.changes).toHaveLength(3)
    expect(first.data.changes[0]).toMatchObject({ change: 'add', citation: 'docs:a.md', commit })
    const rest = await call('changes', { source: 'docs', after: first.data.cursor })
    expect(rest.data.changes).toHaveLength(1)
    expect((await call('changes', { source: 'docs', after: rest.data.cursor })).data.changes).toEqual([])
    expect(await call('changes', { source: 'docs', after: '7' })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/has expired.*after 0/s),
    })
    const { data } = await call('list_sources')
    expect(data.sources).toMatchObject([
      { id: 'docs', commit, behindMs: null, lastSyncedAt: expect.any(String) },
      { id: 'never', commit: null, lastSyncedAt: null },
    ])
  })

  test('lets a sync have the database beside it', async () => {
    const { world } = await synced(engine)
    using _ = world
    const { call } = await connect(world)
    await call('list_sources')
    world.write('docs/new.md', '# New quaggaword')
    await world.commit('docs')
    expect((await world.run('sync --source docs --wait 20s')).exitCode).toBe(0)
    expect((await call('search', { query: 'quaggaword' })).data.hits).toMatchObject([
      { citation: expect.stringContaining('docs:new.md') },
    ])
  })

  test('has a connection on which the database refuses to write', async () => {
    const { world, url } = await synced(engine)
    using _ = world
    const db = await openDatabase(url, { readOnly: true })
    for (const sql of [
      `DELETE FROM tidemark.pages`,
      `INSERT INTO tidemark.migrations VALUES (99)`,
      'CREATE TABLE x ()',
    ])
      await expect(db.query(sql)).rejects.toMatchObject({ code: '25006' })
    expect((await db.query('SELECT count(*)::integer AS n FROM tidemark.pages')).rows).toEqual([{ n: 4 }])
    await db.close()
  })
})

describe('tidemark mcp', () => {
  test('tells how far a source is known to be behind', async () => {
    const { world, url } = await synced()
    using _ = world
    await sql(url, `UPDATE tidemark.sources SET behind_since = now() - interval '2 hours'`)
    const { call } = await connect(world)
    const { data, text } = await call('search', { query: 'zebracorn' })
    expect(data.hits[0].behindMs).toBeGreaterThan(7_000_000)
    expect(text).toMatch(/behind/)
    expect((await call('list_sources')).text).toMatch(/behind/)
  })

  test('says how fresh what was searched is where nothing was found', async () => {
    const { world, url } = await synced()
    using _ = world
    await sql(url, `UPDATE tidemark.sources SET behind_since = now() - interval '2 hours'`)
    const { call } = await connect(world)
    for (const sources of [['docs'], ['docs', 'never']]) {
      const { text, data } = await call('search', { query: 'nosuchword', sources })
      expect(text).toMatch(/Nothing was found.*docs \(behind for 2h/s)
      expect(data.searched).toMatchObject(sources.map((source) => ({ source })))
    }
    expect((await call('search', { query: 'zebracorn', sources: [] })).data).not.toHaveProperty('searched')
  })

  test('names a page that was renamed as read_page takes it, before and now', async () => {
    const { world } = await synced()
    using _ = world
    const { call } = await connect(world)
    const { cursor } = (await call('changes', { source: 'docs' })).data
    await world.git('docs').mv('guide/start here.md', 'guide/begin here.md')
    await world.commit('docs')
    await world.run('sync --source docs')
    const { data } = await call('changes', { source: 'docs', after: cursor })
    expect(data.changes).toMatchObject([
      { change: 'rename', from: 'docs:guide/start here.md', citation: 'docs:guide/begin here.md' },
    ])
    expect((await call('read_page', { page: data.changes[0].citation })).data.title).toBe('Start')
  })

  test('says who has an embedded database, and ends at once while it waits for it', async () => {
    const { world, url } = await synced('pglite')
    using _ = world
    const holder = await openDatabase(url, { label: 'tidemark sync' })
    onTestFinished(() => holder.close())
    const { call, client } = await connect(world)
    expect(await call('list_sources')).toMatchObject({
      isError: true,
      text: expect.stringMatching(new RegExp(`in use by process ${process.pid} on .* \\(tidemark sync\\).*Wait`, 's')),
    })
    await client.close()

    const waiting = world.start('mcp')
    const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_sources', arguments: {} } }
    waiting.stdin.write(`${JSON.stringify(request)}\n{"jsonrpc":"2.0","id":2,"method":"ping"}\n`)
    // The second one is answered while the first one waits.
    await new Promise((resolve) => waiting.stdout.once('data', resolve))
    const stopped = performance.now()
    waiting.kill('SIGTERM')
    expect(await waiting).toMatchObject({ exitCode: 143, stderr: '' })
    expect(performance.now() - stopped).toBeLessThan(5_000)
  })

  test('answers what cannot be done with what to do, and goes on', async () => {
    const { world } = await synced()
    using _ = world
    const { call } = await connect(world)
    const refused: [string, object, RegExp][] = [
      ['read_page', { page: 'docs:guide/start.md' }, /has no page.*words/s],
      ['read_page', { page: 'docs:a' }, /Did you mean a\.md/],
      ['read_page', { page: 'docs:guide/start here.md#nowhere' }, /no heading.*Install it/s],
      ['read_page', { page: 'nothing' }, /does not name a page/],
      ['read_page', { page: 'docs:a\0.md' }, /does not name a page/],
      ['read_page', { page: 'other:a.md' }, /no source "other".*Known are docs/s],
      ['search', { query: 'a', sources: ['dosc'] }, /Did you mean.*docs/s],
      ['search', { query: 'a', mode: 'vector' }, /no embeddings.*embed/s],
      ['search', { query: '' }, /query/],
      ['search', { query: ' \n' }, /query/],
      ['search', { query: 'a'.repeat(2_000) }, /query/],
      ['read_page', { page: 'never:a.md' }, /first sync is not done yet.*tidemark sync --source never/s],
      ['search', {}, /query/],
      ['changes', { source: 'docs', after: 'x' }, /not a cursor/],
      ['changes', { source: "docs'; DROP TABLE tidemark.pages; --" }, /no source/],
    ]
    for (const [name, args, message] of refused)
      expect(await call(name, args), `${name} ${JSON.stringify(args)}`).toMatchObject({
        isError: true,
        text: expect.stringMatching(message),
      })
    expect((await call('search', { query: 'zebracorn' })).data.hits).toHaveLength(1)
    const { data } = await call('search', { query: 'anything', sources: ['never'] })
    expect(data.warnings).toEqual([expect.stringContaining('the first sync of never is not done yet')])
  })

  test('reads a section as it is written, however long, and a page whose name has the sign of an anchor', async () => {
    const { world } = await synced()
    using _ = world
    const section = `## Code\n\n\`\`\`\n${'line\n\n\n  of code\n'.repeat(900)}\`\`\``
    world.write('docs/c#sharp.md', `# C\n\nText.\n\n${section}\n\n## Other\n\nEnd.`)
    await world.commit('docs')
    await world.run('sync --source docs')
    const { call } = await connect(world)
    expect((await call('read_page', { page: 'docs:c#sharp.md#code' })).data).toMatchObject({
      content: section,
      citation: 'docs:c#sharp.md#code',
    })
    expect((await call('read_page', { page: 'docs:c#sharp.md' })).data.content).toContain('End.')
  })

  test('reads a long page in parts', async () => {
    const { world } = await synced()
    using _ = world
    const text = `# Long\n\n${'👍'.repeat(50_000)} end`
    world.write('docs/long.md', text)
    await world.commit('docs')
    await world.run('sync --source docs')
    const { call } = await connect(world)
    let read = ''
    for (let offset: number | null = 0; offset !== null; ) {
      const { data }: { data: any } = await call('read_page', { page: 'docs:long.md', offset })
      // No part ends within a character.
      expect(data.content.isWellFormed()).toBe(true)
      read += data.content
      offset = data.nextOffset
    }
    expect(read).toBe(text)
  })

  test('has a database that is not there yet, and one that does not answer', async () => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
    Object.assign(world.env, { DATABASE_URL: `${world.folder}/none` })
    const missing = await connect(world)
    expect((await missing.call('list_sources')).data.sources).toMatchObject([{ id: 'docs', status: null }])
    expect((await missing.call('search', { query: 'a' })).data.hits).toEqual([])
    Object.assign(world.env, { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:9/x' })
    const away = await connect(world)
    const { isError, text } = await away.call('search', { query: 'a' })
    expect({ isError, text }).toEqual({ isError: true, text: expect.stringContaining('does not answer') })
    expect(text).not.toContain('hunter2')
  })

  test('ends with its client, and on a signal', async () => {
    const { world } = await synced()
    using _ = world
    const running = world.start('mcp')
    running.stdin.end()
    expect(await running).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
    const stopped = world.start('mcp')
    stopped.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    await new Promise((resolve) => stopped.stdout.once('data', resolve))
    stopped.kill('SIGTERM')
    const { exitCode, stdout } = await stopped
    expect({ exitCode, answer: JSON.parse(stdout) }).toEqual({
      exitCode: 143,
      answer: { jsonrpc: '2.0', id: 1, result: {} },
    })
    expect(await world.run('mcp --json')).toMatchObject({ exitCode: 2 })
  })
})

test('tidemark watch answers assistants that bear its token, over HTTP', async () => {
  const { world } = await synced()
  using _ = world
  world.write('tidemark.yaml', "mcp: { token: '${MCP_TOKEN}' }\nsources: { docs: { repo: docs } }")
  const watch = world.start('watch --listen 0', { MCP_TOKEN: 'word' })
  onTestFinished(() => void watch.kill('SIGKILL'))
  const url = await new Promise<URL>((resolve) => {
    watch.stderr.on('data', (data) => {
      const [, address] = /listening on (http:\S+)/.exec(String(data)) ?? []
      if (address !== undefined) resolve(new URL('/mcp', address))
    })
  })
  for (const headers of [{}, { authorization: 'Bearer other' }, { authorization: 'word' }])
    expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(401)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: 'Bearer word' } } }) as Transport,
  )
  const { structuredContent } = await client.callTool({ name: 'search', arguments: { query: 'zebracorn' } })
  expect(structuredContent).toMatchObject({ hits: [{ citation: 'docs:guide/start here.md#install-it' }] })
  await client.close()
  watch.kill('SIGTERM')
  expect((await watch).exitCode).toBe(143)
})

test('the address of a page in a subpath is that of its file, at a commit that has what was read', async () => {
  const { world } = await synced()
  using _ = world
  world.write('tidemark.yaml', 'sources: { docs: { repo: docs, subpath: guide } }')
  world.write('docs/guide/new.md', '# New\n\nquaggaword')
  await world.commit('docs')
  await world.run('sync --source docs')
  world.write('docs/guide/other.md', '# Other')
  await world.commit('docs')
  await world.run('sync --source docs')
  world.write('tidemark.yaml', 'sources: { docs: { repo: "git@gitlab.com:team/docs.git", subpath: guide } }')
  const [hit] = JSON.parse((await world.run('search quaggaword --json')).stdout).hits
  expect(hit).toMatchObject({
    path: 'guide/new.md',
    url: `https://gitlab.com/team/docs/-/blob/${hit.commit}/guide/new.md#new`,
  })
  expect(await world.git('docs').show(`${hit.commit}:guide/new.md`)).toBe('# New\n\nquaggaword')
})

test('search --open shows the first hit in the browser, and says where it has no address', async () => {
  const { world, commit } = await synced()
  using _ = world
  expect(await world.run('search zebracorn --open')).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('has no address'),
  })
  world.write('bin/xdg-open', '#!/bin/sh\necho "$1" > opened\n')
  await execa('chmod', ['+x', `${world.folder}/bin/xdg-open`])
  world.write('tidemark.yaml', 'sources: { docs: { repo: "https://me:secret@github.com/team/docs.git" } }')
  const env = { PATH: `${world.folder}/bin:${process.env.PATH}`, MCP_TOKEN: '' }
  const url = `https://github.com/team/docs/blob/${commit}/guide/start%20here.md#install-it`
  const { stderr } = await world.run('search zebracorn --open', env)
  expect(stderr).toContain(`Opening ${url}`)
  await expect.poll(() => readFileSync(`${world.folder}/opened`, 'utf8').trim()).toBe(url)
  expect(JSON.parse((await world.run('search zebracorn --json')).stdout).hits).toMatchObject([{ url, commit }])
  expect(JSON.parse((await world.runEach(['show', 'docs:guide/start here.md', '--json'])).stdout)).toMatchObject({
    url: url.split('#')[0],
  })
})
