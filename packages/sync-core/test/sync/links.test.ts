import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { type TestWorld, testWorld } from '../world/test-world.ts'

type Files = Record<string, string>
type Options = Parameters<TestWorld['sync']>[0]

/** Of the links of a page what each means, or null. */
async function outlinks(world: TestWorld, path: string): Promise<Record<string, string | null>> {
  const sql = 'SELECT target, to_path FROM tidemark.outlinks WHERE path = $1 ORDER BY ordinal'
  const { rows } = await world.db.query<{ target: string; to_path: string | null }>(sql, [path])
  return Object.fromEntries(rows.map(({ target, to_path }) => [target, to_path]))
}

/** From a page, written as links of a list, to the page that each means. */
interface Case {
  readonly from: string
  readonly files: readonly string[]
  readonly links: Record<string, string | null>
  readonly contents?: Files
  readonly options?: Options
}

const toMarkdown = (target: string) => (target.startsWith('[[') ? target : `[x](<${target}>)`)
const written = (target: string) => target.replace(/^\[\[(.*?)(\\?\|.*)?\]\]$/, '$1')

const CASES: Record<string, Case> = {
  'a wiki name in another case, in any script, composed or not': {
    from: 'notes/a.md',
    files: ['notes/Émile.md', 'deep/Заметка.md', 'ΟΔΟΣ.md', 'Straße.md', 'İstanbul.md', 'ısı.md', 'ﬁne.md'],
    links: {
      '[[émile]]': 'notes/Émile.md',
      [`[[${'É'.normalize('NFD')}MILE]]`]: 'notes/Émile.md',
      '[[заметка]]': 'deep/Заметка.md',
      '[[ЗАМЕТКА|x]]': 'deep/Заметка.md',
      '[[οδος]]': 'ΟΔΟΣ.md',
      '[[οδοσ]]': 'ΟΔΟΣ.md',
      '[[STRASSE]]': 'Straße.md',
      '[[STRAẞE]]': 'Straße.md',
      '[[i̇stanbul]]': 'İstanbul.md',
      '[[isi]]': null,
      '[[FINE]]': 'ﬁne.md',
    },
  },
  'a path in another case, where none has that case': {
    from: 'a.md',
    files: ['Guide/First.md', 'guide/second.md', 'Guide/second.md', 'ÜBER/x.md'],
    links: {
      'guide/first.md': 'Guide/First.md',
      'guide/second.md': 'guide/second.md',
      'Guide/second.md': 'Guide/second.md',
      'über/X.md': 'ÜBER/x.md',
      'guide/third.md': null,
    },
  },
  'relative wiki links': {
    from: 'a/b/from.md',
    files: ['a/up/c.md', 'a/b/b.md', 'c.md', 'x/b.md', 'x/c.md', 'a/b/two words.md'],
    links: {
      '[[../up/c]]': 'a/up/c.md',
      '[[./b]]': 'a/b/b.md',
      '[[/c]]': 'c.md',
      '[[x/c.md]]': 'x/c.md',
      '[[../c]]': null,
      '[[Two Words#part|x]]': 'a/b/two words.md',
    },
  },
  'a wiki link in a table, whose bar has a backslash': {
    from: 'a.md',
    files: ['Page.md'],
    contents: { 'a.md': '| a |\n|---|\n| [[Page\\|alias]] |' },
    links: { Page: 'Page.md' },
  },
  'folders and the root, by their own page': {
    from: 'docs/a/from.md',
    files: ['README.md', 'docs/index.md', 'docs/a/README.md', 'docs/b/_index.md'],
    links: {
      '../../': 'README.md',
      '../..': 'README.md',
      '/': 'README.md',
      './': 'docs/a/README.md',
      '.': 'docs/a/README.md',
      '..': 'docs/index.md',
      '../b/': 'docs/b/_index.md',
      '../index.html': 'docs/index.md',
      '../../../..': null,
    },
  },
  'the root from a page that lies in it': {
    from: 'from.md',
    files: ['README.md'],
    links: { './': 'README.md', '/': 'README.md', '.': 'README.md', '../..': null },
  },
  'a file and a folder of one name, by the slash at the end': {
    from: 'from.md',
    files: ['guide.md', 'guide/index.md'],
    links: { guide: 'guide.md', 'guide/': 'guide/index.md', 'guide.md': 'guide.md', '/guide/#x': 'guide/index.md' },
  },
  'VitePress: from the root of the site, without extension or with .html, where the site is a folder': {
    from: 'docs/guide/from.md',
    files: ['docs/config/shared.md', 'docs/guide/why.md', 'docs/index.md', 'README.md', 'docs/zh/guide/why.md'],
    links: {
      '/config/shared': 'docs/config/shared.md',
      '/config/shared.html#x': 'docs/config/shared.md',
      '/guide/why.md': 'docs/guide/why.md',
      './why': 'docs/guide/why.md',
      '/zh/guide/why': 'docs/zh/guide/why.md',
    },
  },
  'the same where the root of links is given, which counts for more than the repository': {
    from: 'docs/guide/from.md',
    files: ['docs/config/a.md', 'config/a.md', 'config/b.md', 'docs/index.md', 'README.md'],
    options: { linkRoot: 'docs' },
    links: {
      '/config/a': 'docs/config/a.md',
      '/config/b': 'config/b.md',
      '/': 'docs/index.md',
    },
  },
  'the same where only a folder is mirrored': {
    from: 'docs/from.md',
    files: ['docs/config/a.md', 'docs/README.md'],
    options: { subpath: 'docs' },
    links: { '/config/a': 'docs/config/a.md', '/': 'docs/README.md', '/config/b': null },
  },
  'the root of the repository where that is said to be the root of links': {
    from: 'docs/from.md',
    files: ['docs/x/a.md', 'docs/docs/x/a.md'],
    options: { subpath: 'docs', linkRoot: '.' },
    links: { '/docs/x/a': 'docs/x/a.md' },
  },
  'Zola: from the content of each of several sites': {
    from: 'test/content/from.md',
    files: [
      'docs/content/page.md',
      'test/content/page.md',
      'test/content/section/_index.md',
      'test/content/posts/co/index.md',
    ],
    links: {
      '@/page.md': 'test/content/page.md',
      '@/section/_index.md#x': 'test/content/section/_index.md',
      '@/posts/co/index.md': 'test/content/posts/co/index.md',
      '@/gone.md': null,
    },
  },
  'Hugo: addresses of pages, which are folders in a browser, and names given in the front matter': {
    from: 'content/en/docs/from.md',
    files: ['content/en/docs/other.md', 'content/en/docs/section/_index.md'],
    contents: {
      'content/en/docs/moved.md': '---\naliases: [/docs/old-place/]\n---\n',
      'content/en/docs/named.md': '+++\nslug = "short"\n+++\n',
      'content/en/docs/whole.md': '{ "url": "/anywhere/else/" }\n',
    },
    links: {
      '../other/': 'content/en/docs/other.md',
      '/docs/other/': 'content/en/docs/other.md',
      '/docs/section/': 'content/en/docs/section/_index.md',
      '/docs/old-place/': 'content/en/docs/moved.md',
      '/docs/short/': 'content/en/docs/named.md',
      '/anywhere/else/': 'content/en/docs/whole.md',
    },
  },
  'Docusaurus: by slug, by id, without the numbers that order files, and from the folder of the site': {
    from: 'website/docs/01-intro/02-from.md',
    files: ['website/docs/01-intro/03-next.mdx'],
    contents: {
      'website/docs/a.md': '---\nslug: /begin\n---\n',
      'website/docs/b.md': '---\nid: the-id\n---\n',
    },
    links: {
      './03-next.mdx': 'website/docs/01-intro/03-next.mdx',
      '/docs/intro/next': 'website/docs/01-intro/03-next.mdx',
      '@site/docs/a.md': 'website/docs/a.md',
      '/begin': 'website/docs/a.md',
      '/docs/the-id': 'website/docs/b.md',
    },
  },
  'Astro: from the content, and in English where a language lacks the page': {
    from: 'src/content/docs/ja/guides/from.mdx',
    files: [
      'src/content/docs/ja/guides/x.mdx',
      'src/content/docs/en/guides/x.mdx',
      'src/content/docs/en/guides/y.mdx',
      'src/content/docs/de/guides/z.mdx',
    ],
    links: {
      '/ja/guides/x/': 'src/content/docs/ja/guides/x.mdx',
      '/ja/guides/y/#part': 'src/content/docs/en/guides/y.mdx',
      '/ja/guides/z/': null,
      '../y/': null,
      '../x/': 'src/content/docs/ja/guides/x.mdx',
    },
  },
  'mdBook: chapters as the built book has them, README as index, and those of the present edition': {
    from: 'old/src/from.md',
    files: ['old/src/ch01-00-x.md', 'old/src/README.md', 'src/ch02-00-y.md'],
    links: {
      'ch01-00-x.html': 'old/src/ch01-00-x.md',
      'index.html': 'old/src/README.md',
      '../ch02-00-y.html#z': 'src/ch02-00-y.md',
      'ch09-00-none.html': null,
    },
  },
  'Logseq: names in file names, aliases, titles and journals': {
    from: 'pages/from.md',
    files: ['pages/term___alias.md', 'pages/New%20to%20Logseq%3F.md', 'pages/a%2Fb.md', 'journals/2023_10_11.md'],
    contents: {
      'pages/Page.md': 'alias:: Pages, [[Devon Z]]\ntype:: x\n\n- text',
      'pages/custom.md': '- title:: Custom/Title\n- text',
    },
    links: {
      '[[Term/Alias]]': 'pages/term___alias.md',
      '[[alias]]': null,
      '[[New to Logseq?]]': 'pages/New%20to%20Logseq%3F.md',
      '[[a/b]]': 'pages/a%2Fb.md',
      '[[pages]]': 'pages/Page.md',
      '[[Devon Z]]': 'pages/Page.md',
      '[[custom/title]]': 'pages/custom.md',
      '[[Oct 11th, 2023]]': 'journals/2023_10_11.md',
      '[[nowhere]]': null,
    },
  },
  'Obsidian: as much of the path as is written, beside the linking page first, by aliases and with dots in names': {
    from: 'a/from.md',
    files: ['a/note.md', 'note.md', 'b/c/note.md', 'v1.2.md', 'Folder: x.md'],
    contents: { 'x/long name.md': '---\naliases:\n  - Short\n  - 2024\n---\n' },
    links: {
      '[[note]]': 'a/note.md',
      '[[c/note]]': 'b/c/note.md',
      '[[v1.2]]': 'v1.2.md',
      '[[Folder: x]]': 'Folder: x.md',
      '[[short]]': 'x/long name.md',
      '[[2024]]': 'x/long name.md',
    },
  },
}

describe.each(engines)('a link in %s finds', (engine) => {
  test.each(Object.entries(CASES))('%s', async (_, { from, files, links, contents = {}, options }) => {
    await using world = await testWorld({ engine })
    const text = Object.keys(links).map(toMarkdown).join('\n\n')
    const pages = Object.fromEntries(files.map((path) => [path, `of ${path}`]))
    await world.repository.commit({ [from]: text, ...pages, ...contents })
    expect(await world.sync(options)).toMatchObject({ filesQuarantined: 0, status: 'first_sync' })
    const wanted = Object.entries(links).map(([target, path]) => [written(target), path])
    expect(await outlinks(world, from)).toEqual(Object.fromEntries(wanted))
    // The other way round, too.
    const sql = 'SELECT target, path FROM tidemark.backlinks WHERE from_path = $1 ORDER BY target, path'
    const { rows } = await world.db.query<{ target: string; path: string }>(sql, [from])
    const found = wanted.filter(([, path]) => path !== null)
    expect(Object.fromEntries(rows.map(({ target, path }) => [target, path]))).toEqual(Object.fromEntries(found))
  })
})

describe.each(engines)('the links of a source in %s', (engine) => {
  test('follow when the root of links is set, and no page is written again', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': '[x](/b)', 'site/b.md': 'x', 'other/b.md': 'x' })
    await world.sync()
    expect(await outlinks(world, 'a.md')).toEqual({ '/b': null })
    expect(await world.sync({ linkRoot: 'site' })).toMatchObject({ status: 'synced', filesUpdated: 0 })
    expect(await outlinks(world, 'a.md')).toEqual({ '/b': 'site/b.md' })
  })

  test('keep the text and the section that they have', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': '[see *there*](b.md#part-two) [[B#Part two|again]]', 'b.md': '# B' })
    await world.sync()
    const { rows } = await world.db.query('SELECT text, target_anchor, to_path FROM tidemark.outlinks ORDER BY ordinal')
    expect(rows).toEqual([
      { text: 'see there', target_anchor: 'part-two', to_path: 'b.md' },
      { text: 'again', target_anchor: 'Part two', to_path: 'b.md' },
    ])
  })

  test('tell files of the repository, folders and files set aside from what is nowhere', async () => {
    await using world = await testWorld({ engine })
    const files = async () => {
      const { rows } = await world.db.query('SELECT target, to_file FROM tidemark.outlinks WHERE to_path IS NULL')
      return Object.fromEntries(rows.map(({ target, to_file }) => [target, to_file]))
    }
    const targets = [
      '../LICENSE',
      'pic.png',
      './Pic.PNG',
      '/logo.svg',
      'missing.png',
      '../src',
      '../src/',
      'bad.md',
      'b.md',
    ]
    const text = [...targets.map(toMarkdown), '![[scan 1.pdf#page=2|x]]', '[[none.pdf]]', '[x](https://x.org/a.png)']
    const repository = {
      'docs/a.md': text.join('\n\n'),
      'docs/b.md': '# B',
      'docs/bad.md': 'a\0b',
      'docs/pic.png': 'x',
      'docs/public/logo.svg': 'x',
      'attached/Scan 1.pdf': 'x',
      'src/deep/code.ts': 'x',
      LICENSE: 'x',
    }
    await world.repository.commit(repository)
    await world.sync()
    const found = {
      '../LICENSE': 'LICENSE',
      'pic.png': 'docs/pic.png',
      './Pic.PNG': 'docs/pic.png',
      '/logo.svg': 'docs/public/logo.svg',
      'missing.png': null,
      '../src': 'src/',
      '../src/': 'src/',
      'bad.md': 'docs/bad.md',
      'scan 1.pdf#page=2': 'attached/Scan 1.pdf',
      'none.pdf': null,
      'https://x.org/a.png': null,
    }
    expect(await files()).toEqual(found)
    const { LICENSE: _, 'src/deep/code.ts': __, ...rest } = repository
    await world.repository.commit({ ...rest, 'docs/missing.png': 'x' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesUpdated: 0 })
    expect(await files()).toEqual({
      ...found,
      '../LICENSE': null,
      '../src': null,
      '../src/': null,
      'missing.png': 'docs/missing.png',
    })
    const sql = 'SELECT path FROM tidemark.files ORDER BY path'
    const paths = (await world.db.query<{ path: string }>(sql)).rows.map(({ path }) => path)
    expect(paths).toEqual(['attached/Scan 1.pdf', 'docs/missing.png', 'docs/pic.png', 'docs/public/logo.svg'])
    await world.db.query(`UPDATE tidemark.files SET path = path || '.old'`)
    await world.db.query('UPDATE tidemark.sources SET dirty = true')
    await world.sync()
    expect((await world.db.query<{ path: string }>(sql)).rows.map(({ path }) => path)).toEqual(paths)
  })
})
