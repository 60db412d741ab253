import { allEngines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { search } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const CODE = {
  'dotted.md': 'Set `server.hmr.overlay` to false.',
  'slashed.md': 'About async/await in functions.',
  'node.md': 'Install node.js first.',
  'snake.md': 'The option read_user_name is old.',
  'camel.md': 'Call getUserName there.',
  'screaming.md': 'MAX_RETRY_COUNT is seven.',
  'kebab.md': 'Use the vite-plugin-legacy package.',
  'flag.md': 'Start it with --strict-port always.',
  'version.md': 'Since v1.2.3 it works.',
  'acronym.md': 'Derive from HTTPServer2 here. Two APIs.',
  'scope.md': 'std::vec::Vec grows.',
  'path.md': 'See packages/cli/src/main.ts for it.',
  'issue.md': 'Mended in #1234 at last.',
  'email.md': 'Write to jane.doe@example.org soon.',
  'url.md': 'Look at https://github.com/vitejs/vite/pull/99?tab=files#top here.',
  'cpp.md': 'Written in C++ mostly.',
  'csharp.md': 'Written in C# mostly.',
  'plain-c.md': 'Written in C mostly.',
  'env.md': 'Secrets belong into .env alone.',
  'howto.md': 'This is a how-to.',
  'hash.md': 'At d670460b4b4aece5915caf5c68d12f560a9fe3e4 it broke.',
}

describe.each(allEngines)('on %s, search', (engine) => {
  const found = async (world: TestWorld, words: string) =>
    (await search(world.db, words, { limit: 50 })).hits.map(({ path }) => path)

  async function filled(files: Record<string, string>, language?: string) {
    const world = await testWorld({ engine })
    await world.repository.commit(files)
    expect(await world.sync({ language })).toMatchObject({ status: 'first_sync', warnings: [] })
    return world
  }

  test('finds identifiers whole, in parts, and in other notations of the same', { timeout: 180_000 }, async () => {
    await using world = await filled(CODE)
    const expected: Record<string, readonly string[]> = {
      'dotted.md': ['server.hmr.overlay', 'overlay', 'hmr', 'server', 'hmr.overlay', 'SERVER.HMR', '"hmr overlay"'],
      'slashed.md': ['async/await', 'async', 'await', '"async await"'],
      'node.md': ['node.js', 'node', 'Node', '"install node.js"'],
      'snake.md': ['read_user_name', 'user_name', 'read', 'readUserName'],
      'camel.md': ['getUserName', 'getusername', 'get_user_name', 'GetUserName', '"call getUserName there"'],
      'screaming.md': ['MAX_RETRY_COUNT', 'retry', 'max_retry', 'maxRetryCount'],
      'kebab.md': ['vite-plugin-legacy', 'plugin', 'plugin-legacy', 'legacy'],
      'flag.md': ['--strict-port', 'strict-port', 'strict', 'port', 'strictPort'],
      'version.md': ['v1.2.3', '1.2.3', 'v1.2'],
      'acronym.md': ['HTTPServer2', 'httpserver2', 'http', 'server2', 'HTTPServer', 'API', 'APIs'],
      'scope.md': ['std::vec::Vec', 'std', 'vec', 'std::vec'],
      'path.md': ['packages/cli/src/main.ts', 'main.ts', 'src/main.ts', 'cli', './packages/cli'],
      'issue.md': ['#1234', '1234'],
      'email.md': ['jane.doe@example.org', 'jane.doe', 'doe', 'example.org', '@example.org'],
      'url.md': [
        'https://github.com/vitejs/vite/pull/99?tab=files#top',
        'github.com',
        'vitejs',
        'vitejs/vite',
        'tab=files',
      ],
      'cpp.md': ['C++', 'c++', '"written in C++"', 'C'],
      'csharp.md': ['C#', 'c#', 'C'],
      'env.md': ['.env', 'env'],
      'howto.md': ['how-to', 'How-To'],
      'hash.md': ['d670460b4b4aece5915caf5c68d12f560a9fe3e4'],
    }
    const missed: string[] = []
    for (const [page, questions] of Object.entries(expected))
      for (const question of questions)
        if (!(await found(world, question)).includes(page)) missed.push(`${question} does not find ${page}`)
    expect(missed).toEqual([])
    expect(await found(world, 'C++')).toEqual(['cpp.md'])
    expect(await found(world, 'C#')).toEqual(['csharp.md'])
    expect(await found(world, '"overlay hmr"')).toEqual([])
    expect(await found(world, 'written -C++')).toEqual(['csharp.md', 'plain-c.md'])
    expect((await found(world, 'server -overlay')).sort()).toEqual(['acronym.md'])
  })

  test('finds some of an identifier where no page has all of it, and says so', async () => {
    await using world = await filled(CODE)
    expect(await search(world.db, 'server.hmr.timeout')).toMatchObject({
      match: 'any',
      hits: expect.arrayContaining([expect.objectContaining({ path: 'dotted.md' })]),
    })
  })

  test('minds no accents, neither of the page nor of the question', async () => {
    await using world = await filled({
      'cafe.md': 'Ein Café au lait, naïve Übergröße.',
      'plain.md': 'A cafe without.',
      'nfd.md': 'Un re\u0301sume\u0301 de\u0301compose\u0301.',
      'dane.md': 'Ørsted, Łódź, Ægir and Straße.',
      'greek.md': 'Ο λόγος του Σωκράτη.',
      'russian.md': 'Ёлка и Йод.',
    })
    for (const word of ['cafe', 'café', 'CAFÉ', 'cafe\u0301'])
      expect((await found(world, word)).sort()).toEqual(['cafe.md', 'plain.md'])
    for (const word of ['resume', 'résumé', 'decompose']) expect(await found(world, word)).toEqual(['nfd.md'])
    expect(await found(world, '"cafe au lait"')).toEqual(['cafe.md'])
    expect(await found(world, '"café au lait"')).toEqual(['cafe.md'])
    for (const word of ['orsted', 'lodz', 'Aegir', 'strasse', 'STRASSE', 'straße'])
      expect(await found(world, word)).toEqual(['dane.md'])
    for (const word of ['λογος', 'ΛΌΓΟΣ', 'σωκρατη']) expect(await found(world, word)).toEqual(['greek.md'])
    for (const word of ['елка', 'ёлка', 'ЙОД']) expect(await found(world, word)).toEqual(['russian.md'])
  })

  test('knows the forms of words with accents in their language', async () => {
    await using world = await filled({ 'a.md': 'Las naciones unidas.' }, 'spanish')
    for (const word of ['nación', 'nacion', 'naciones']) expect(await found(world, word)).toEqual(['a.md'])
  })

  test('finds any part of text without spaces, also what stands in one character', async () => {
    await using world = await filled({
      'zh.md': '如何在生产环境中部署服务器。\n\n数据库的备份\n很重要。',
      'ja.md': '東京都の天気予報はｶﾞｲﾄﾞを見てください。',
      'th.md': 'การติดตั้งเซิร์ฟเวอร์ภาษาไทย',
      'ko.md': '서울에서 데이터베이스를 설치합니다.',
      'en.md': 'Nothing of the kind.',
    })
    const expected: Record<string, readonly string[]> = {
      'zh.md': ['部署', '服务器', '生产环境', '部署服务器', '"生产环境中"', '服务器部署', '署', '器', '备份很重要'],
      'ja.md': ['東京', '京都', '天気', '天気予報', '東京都の天気', 'ガイド', '報'],
      'th.md': ['ภาษาไทย', 'ติดตั้ง', 'เซิร์ฟเวอร์', '"ภาษาไทย"'],
      'ko.md': ['서울', '데이터베이스', '설치', '"데이터베이스를 설치"'],
    }
    for (const [page, questions] of Object.entries(expected))
      for (const question of questions) expect([question, await found(world, question)]).toEqual([question, [page]])
    expect(await found(world, '"服务器部署"')).toEqual([])
    expect(await found(world, '大阪')).toEqual([])
    expect(await found(world, '部署 -数据库')).toEqual([])
  })

  test('finds a page that is a title alone, and forgets that when it gets a text', async () => {
    const titles = {
      'ru.md': 'Настройка сервера',
      'zh.md': '安装指南',
      'ja.md': 'はじめに',
      'th.md': 'คู่มือการใช้งาน',
      'el.md': 'Οδηγός χρήσης',
      'de.md': 'Größenänderung',
      'fr.md': 'Démarrage rapide',
      'emoji.md': '🚀 Launch',
      'only-emoji.md': '🦑',
    }
    const files = Object.fromEntries(
      Object.entries(titles).map(([path, title]) => [path, `---\ntitle: ${title}\n---\n`]),
    )
    await using world = await filled({ ...files, 'first-steps.md': '' })
    for (const [path, title] of Object.entries(titles))
      expect([title, await found(world, title)]).toEqual([title, [path]])
    for (const [word, path] of [
      ['сервера', 'ru.md'],
      ['指南', 'zh.md'],
      ['คู่มือ', 'th.md'],
      ['οδηγος', 'el.md'],
      ['grossenanderung', 'de.md'],
      ['demarrage', 'fr.md'],
      ['launch', 'emoji.md'],
      ['🚀', 'emoji.md'],
      ['first steps', 'first-steps.md'],
    ] as const)
      expect([word, await found(world, word)]).toEqual([word, [path]])
    const { hits } = await search(world.db, 'launch')
    expect(hits).toMatchObject([{ title: '🚀 Launch', headingPath: [], excerpt: '', matches: [] }])

    await world.repository.commit({ 'emoji.md': '---\ntitle: 🚀 Launch\n---\nWith a text.', 'fr.md': '# Autre' })
    await world.sync()
    expect(await search(world.db, 'launch')).toMatchObject({ hits: [{ path: 'emoji.md', excerpt: 'With a text.' }] })
    expect(await found(world, 'demarrage')).toEqual([])
  })

  test('shows first the page whose title is what was searched for, however often others have it', async () => {
    const often = (word: string) => `# About\n\n## ${word}\n\n${`${word} and ${word}.\n`.repeat(60)}`
    const long = 'Words of all kinds that go on and on. '.repeat(100)
    const words = ['await', 'node.js', '部署服务器', 'getUserName', 'café', 'dev server']
    const files = Object.fromEntries(
      words.flatMap((word, i) => [
        [`${i}-often.md`, often(word)],
        [`${i}-title.md`, `---\ntitle: ${word}\n---\n${long}`],
        [`${i}-longer.md`, `# How to do something with ${word} in seven ways\n\nShort, ${word}.`],
      ]),
    )
    await using world = await filled(files)
    for (const [i, word] of words.entries())
      expect([word, (await found(world, word))[0]]).toEqual([word, `${i}-title.md`])
  })

  test('shows first the pages that have a word as it was written, then those that have its parts', async () => {
    await using world = await filled({
      'a.md': `${'A string of strings. '.repeat(30)}`,
      'b.md': `${'Words of many kinds. '.repeat(80)} Call toString there.`,
      'c.md': 'Café.',
      'd.md': 'Cafe, cafe.',
    })
    expect((await found(world, 'toString'))[0]).toBe('b.md')
    expect(await found(world, 'café')).toEqual(['c.md', 'd.md'])
  })

  test('shows what was found as the page has it', async () => {
    const before = 'Something else is told in many words before. '.repeat(20)
    await using world = await filled({
      'accent.md': `${before}Un grand café crème.`,
      'code.md': `${before}Then set server.hmr.overlay to false. ${before}`,
      'camel.md': `${before}Then call getUserName() there. ${before}`,
      'zh.md': `${'这里说的是别的事情。'.repeat(20)}最后部署服务器。`,
      'private.md': 'An icon \uE000 of a font, \uE001 quoin.',
      'wrapped.md': 'A dev\n  server\tquokka.',
    })
    const shown = async (words: string) => {
      const { excerpt, matches } = (await search(world.db, words)).hits[0]!
      return { excerpt, marked: matches.map(({ start, end }) => excerpt.slice(start, end)) }
    }
    expect(await shown('cafe')).toEqual({ excerpt: expect.stringMatching(/Un grand café crème\.$/), marked: ['café'] })
    expect(await shown('overlay')).toEqual({
      excerpt: expect.stringContaining('Then set server.hmr.overlay to false.'),
      marked: ['overlay'],
    })
    expect((await shown('server.hmr.overlay')).marked).toEqual(['server.hmr.overlay'])
    expect((await shown('getusername')).marked).toEqual(['getUserName'])
    expect((await shown('userName')).excerpt).toContain('getUserName()')
    expect(await shown('部署')).toEqual({ excerpt: expect.stringMatching(/最后部署服务器。$/), marked: ['部署'] })
    expect((await shown('署')).marked).toEqual(['署'])
    expect((await shown('部署服务')).marked).toEqual(['部署服务'])
    expect(await shown('quoin')).toEqual({ excerpt: 'An icon \uE000 of a font, \uE001 quoin.', marked: ['quoin'] })
    expect(await shown('quokka')).toEqual({ excerpt: 'A dev server quokka.', marked: ['quokka'] })
  })

  test('takes text of any size and words of any length, and finds what stands beside them', {
    timeout: 180_000,
  }, async () => {
    const key = 'QWxhZGRpbjpvcGVuIHNlc2FtZQ9'.repeat(400)
    await using world = await filled({
      'long.md': `Before ${'x'.repeat(9_000)} quokka ${key} after.`,
      'accents.md': `${'é'.repeat(3_000)} quokka`,
      'many.md': `${Array.from({ length: 20_000 }, (_, i) => `wörd${i}Name.of${i}`).join(' ')} quokka`,
      'zh.md': `${Array.from({ length: 9_000 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('')} quokka`,
      'title.md': `---\ntitle: ${'t'.repeat(5_000)} ${'Ä'.repeat(5_000)}\n---\nquokka`,
      'one.md': `${'a '.repeat(40_000)}quokka`,
    })
    expect((await found(world, 'quokka')).sort()).toEqual([
      'accents.md',
      'long.md',
      'many.md',
      'one.md',
      'title.md',
      'zh.md',
    ])
    expect(await found(world, 'wörd19999Name')).toEqual(['many.md'])
    expect(await found(world, 'x'.repeat(9_000))).toEqual(['long.md'])
    for (const question of [
      'x '.repeat(100_000),
      '東'.repeat(50_000),
      '"'.repeat(999),
      `-${'('.repeat(500)}`,
      "'\\:*&|!<->",
    ])
      await search(world.db, question)
  })

  test('makes an index anew that was made before it knew all that', async () => {
    await using world = await filled({ 'a.md': 'Set server.hmr.overlay.' })
    const { default: migration } = await import('../../src/store/schema/0003-search-terms.ts')
    await world.db.query(`UPDATE tidemark.search_chunks SET words = to_tsvector('english', 'Set server.hmr.overlay.')`)
    expect(await found(world, 'overlay')).toEqual([])

    await world.db.query(`DO $$ BEGIN ${migration} END $$`)
    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })

    expect(await found(world, 'overlay')).toEqual(['a.md'])
  })
})
