import { allEngines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { readPage, search } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

const PAGES = {
  'proxy.md': '# Proxy\n\nThe dev server can pass requests on.\n\n## Websockets\n\nA proxy for websockets needs `ws`.',
  'port.md': '# Port\n\nThe dev server listens on a port.',
  'build.md': '# Build\n\nThe server of a build is another. See [the proxy](./proxy.md).',
}

describe.each(allEngines)('search on %s', (engine) => {
  test('tells the anchor of the heading that was found, where others have its text', async () => {
    await using world = await testWorld({ engine })
    const example = (word: string) => `## Example\n\n${word}`
    await world.repository.commit({
      'a.md': `Quinces.\n\n# A\n\n${['Apples', 'Pears', 'Plums'].map(example).join('\n\n')}`,
    })
    await world.sync()
    const anchors = ['quinces', 'apples', 'pears', 'plums'].map(
      async (word) => (await search(world.db, word)).hits[0]!.anchor,
    )
    expect(await Promise.all(anchors)).toEqual([null, 'example', 'example-1', 'example-2'])
  })

  test('tells page, heading path, excerpt and the words in it', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()

    const { mode, match, hits } = await search(world.db, 'websocket')

    expect([mode, match]).toEqual(['text', 'all'])
    expect(hits).toMatchObject([
      {
        source: 'docs',
        path: 'proxy.md',
        title: 'Proxy',
        headingPath: ['Proxy', 'Websockets'],
        ranks: { text: 1, vector: null },
        behindMs: null,
        lastSyncedAt: expect.any(Date),
      },
    ])
    const { excerpt, matches } = hits[0]!
    expect(matches.map(({ start, end }) => excerpt.slice(start, end))).toEqual(['Websockets', 'websockets'])
    expect(excerpt).not.toMatch(/[\uE000\uE001\n]/)
  })

  test('knows phrases, or, and words that must not be there', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()
    const paths = async (words: string) => (await search(world.db, words)).hits.map(({ path }) => path).sort()

    expect(await paths('"dev server"')).toEqual(['port.md', 'proxy.md'])
    expect(await paths('"server dev"')).toEqual([])
    expect(await paths('websockets or listens')).toEqual(['port.md', 'proxy.md'])
    expect(await paths('server -dev')).toEqual(['build.md'])
  })

  test('finds pages with some of the words where none has all, and says so', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()

    expect(await search(world.db, 'websocket quicksilver')).toMatchObject({
      match: 'any',
      hits: [{ path: 'proxy.md' }],
    })
    expect(await search(world.db, '"websocket quicksilver"')).toMatchObject({ match: 'all', hits: [] })
    expect(await search(world.db, 'quicksilver')).toMatchObject({ match: 'all', hits: [] })
  })

  test('ranks a word in the title before one in the text, and shows each page once', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()

    const { hits } = await search(world.db, 'proxy')

    expect(hits.map(({ path }) => path)).toEqual(['proxy.md', 'build.md'])
  })

  test('looks in the sources that are named, and gives no more than is asked for', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()
    await world.sync({ id: 'copy' })

    const { hits } = await search(world.db, 'server', { sources: ['copy'], limit: 2 })

    expect(hits.map(({ source }) => source)).toEqual(['copy', 'copy'])
  })

  test('takes any text for words, and finds nothing where there are none', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()

    for (const words of ['', '   ', 'the', `'); DROP TABLE tidemark.pages; --`, '"', '&|!():*', '😀']) {
      expect((await search(world.db, words)).hits).toEqual([])
    }
  })

  test('of a database without embeddings by meaning says what to run, and without a mode goes by words', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()
    const embedding = { url: 'http://127.0.0.1:1/v1', model: 'm' }

    expect(await search(world.db, 'websocket', { embedding })).toMatchObject({ mode: 'text', hits: [{}] })
    await expect(search(world.db, 'websocket', { embedding, mode: 'vector' })).rejects.toMatchObject({
      code: 'NO_EMBEDDINGS',
      hint: expect.stringContaining('tidemark embed'),
    })
  })

  test('tells for how long a source is known to be behind', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(PAGES)
    await world.sync()
    await world.repository.commit({ ...PAGES, 'new.md': 'new' })
    await world.sync({ budgetMs: 1 })
    await world.db.query(`UPDATE tidemark.sources SET behind_since = now() - interval '1 hour'`)

    const { hits } = await search(world.db, 'websocket')

    expect(hits[0]!.behindMs).toBeGreaterThanOrEqual(3_600_000)
  })
})

describe.each(allEngines)('a page read from %s', (engine) => {
  test('comes with what it links to and what links to it', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({
      ...PAGES,
      'gone.md': 'See [nothing](./none.md), [port](port.md#a) and [code](x.ts).',
      'x.ts': 'x',
    })
    await world.sync()

    expect(await readPage(world.db, 'docs', 'proxy.md')).toMatchObject({
      title: 'Proxy',
      content: PAGES['proxy.md'],
      links: [],
      backlinks: [{ path: 'build.md', title: 'Build', target: './proxy.md' }],
    })
    expect((await readPage(world.db, 'docs', 'gone.md')).links).toEqual([
      { target: './none.md', path: null, anchor: null, file: null },
      { target: 'port.md#a', path: 'port.md', anchor: 'a', file: null },
      { target: 'x.ts', path: null, anchor: null, file: 'x.ts' },
    ])
  })

  test('that is not there is told with the paths that come near', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'guide/proxy.md': 'x' })
    await world.sync()

    for (const path of ['proxy', 'proxy.md', 'Guide/Proxy.md', 'guide/proxy']) {
      await expect(readPage(world.db, 'docs', path)).rejects.toMatchObject({
        code: 'PAGE_NOT_FOUND',
        hint: 'Did you mean guide/proxy.md?',
      })
    }
    await expect(readPage(world.db, 'docs', 'zebra.md')).rejects.toMatchObject({ code: 'PAGE_NOT_FOUND' })
  })
})
