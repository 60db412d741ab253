import { hash } from 'node:crypto'
import { engines } from '@tidemark/test-engines'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testWorld } from '../world/test-world.ts'

const deep = (text: string) => text.repeat(10_000)
const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(' ')
/** Text that no index can make shorter. */
const noise = (length: number) =>
  Array.from({ length: Math.ceil(length / 43) }, (_, i) => hash('sha256', `${i}`, 'base64url'))
    .join('')
    .slice(0, length)
const folders = (count: number) => `${'d'.repeat(200)}/`.repeat(count)

const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]', ...[...'bcdefghi'].map(tenfold)].join('\n')

/** Ten times what the key before it holds. */
function tenfold(key: string, i: number): string {
  return `${key}: &${key} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`
}

/** What a repository may hold that no one would write: the file, and what becomes of it. */
const CASES: [name: string, path: string, content: string | Buffer, outcome: 'page' | string][] = [
  ['bytes that are not UTF-8', 'a.md', Buffer.from([0x61, 0xc3, 0x28]), 'bad_utf8'],
  ['UTF-16', 'a.md', Buffer.from('\uFEFFhello', 'utf16le'), 'bad_utf8'],
  ['a NUL', 'a.md', 'a\0b', 'nul'],
  ['nothing', 'a.md', '', 'page'],
  ['only a byte order mark', 'a.md', '\uFEFF', 'page'],
  ['Windows line ends', 'a.md', '---\r\ntitle: T\r\n---\r\n# H\r\n\r\ntext\r\n', 'page'],
  ['old Macintosh line ends', 'a.md', '# H\r\rtext\r', 'page'],
  ['100 MB', 'a.md', Buffer.alloc(100 * 1024 * 1024, 'word '), 'too_large'],
  ['one line of 3 MB', 'a.md', 'word '.repeat(600_000), 'page'],
  ['one line of 10 MB', 'a.md', 'word '.repeat(2_000_000), 'too_large'],
  ['one word of 1 MB', 'a.md', 'x'.repeat(1_000_000), 'page'],
  ['front matter that is broken', 'a.md', '---\na: [\n---\n', 'bad_front_matter'],
  ['front matter that is enormous', 'a.md', `---\na: ${'x'.repeat(100_000)}\n---\n`, 'bad_front_matter'],
  ['front matter that is a list', 'a.md', '---\n- a\n---\n', 'page'],
  ['front matter that is a bomb of aliases', 'a.md', `---\n${bomb}\n---\n`, 'bad_front_matter'],
  ['front matter nested 10,000 deep', 'a.md', `---\na: ${deep('[')}\n---\n`, 'bad_front_matter'],
  ['front matter with a NUL escape', 'a.md', '---\na: "\\0"\n---\n', 'bad_front_matter'],
  ['front matter that never ends', 'a.md', '---\ntitle: x\n\ntext', 'page'],
  ['10,000 nested quotes', 'a.md', `${deep('> ')}x`, 'page'],
  ['10,000 nested list items', 'a.md', `${deep('- ')}x`, 'page'],
  ['10,000 quotes on one line and 10,000 entities', 'a.md', `${deep('>')}x\n\n${deep('&amp;')}`, 'page'],
  ['10,000 headings', 'a.md', deep('# h\n\n'), 'page'],
  ['10,000 brackets', 'a.md', deep('['), 'page'],
  ['10,000 links', 'a.md', deep('[a](b.md) '), 'page'],
  ['a drawing of 3 KB as the address of an image', 'a.md', `![d](kroki/${noise(3_000)})`, 'page'],
  ['a matrix in double brackets', 'a.md', `[[${noise(6_000).replace(/.{6}/g, '0.$&, ')}]]`, 'page'],
  ['a name of 100 KB in double brackets', 'a.md', `[[folder/${noise(100_000)}]]`, 'page'],
  ['a reference definition of 100 KB', 'a.md', `[a]: ${noise(100_000)}.md\n\n[a]`, 'page'],
  [
    'a log of 97 KB above a line of hyphens',
    'a.md',
    `${'warning '.repeat(12_000)}\n-----\n\n${'w\n\n'.repeat(60_000)}`,
    'page',
  ],
  ['750 KB of words above a line of equals signs', 'a.md', `${words(100_000)}\n===\n\ntext`, 'page'],
  ['a heading of 1.5 MB', 'a.md', `# ${'word '.repeat(300_000)}`, 'page'],
  [
    'a heading of 100 KB over 8,000 sections',
    'a.md',
    `# ${'word '.repeat(20_000)}\n\n${'## s\n\nt\n\n'.repeat(8_000)}`,
    'page',
  ],
  ['a title of 1.5 MB', 'a.md', `---\ntitle: ${'word '.repeat(10_000)}\n---\n`, 'page'],
  ['control characters', 'a.md', 'a\u0001\u001b[31m\u007f b', 'page'],
  ['text that looks like SQL', 'a.md', "'); DROP TABLE tidemark.pages; --", 'page'],
  ['quotes in its path', `it's "quoted" \\ and $1.md`, 'x', 'page'],
  ['a line end in its path', 'a\nb.md', 'x', 'page'],
  ['a tab in its path', 'a\tb.md', 'x', 'page'],
  ['emoji in its path', '📚/🎉.md', 'x', 'page'],
  ['a dash before its path', '-rf.md', 'x', 'page'],
  ['braces in its path', '{a,b}.md', 'x', 'page'],
  ['a path of 1,000 bytes', `${folders(4)}${'x'.repeat(190)}.md`, 'x', 'page'],
  ['a path of 4,000 bytes', `${folders(19)}${'x'.repeat(170)}.md`, 'x', 'path_too_long'],
]

describe.each(engines)('in %s a file', (engine) => {
  test.each(CASES)(
    'with %s is stored right, or set aside with a reason',
    { timeout: 60_000 },
    async (_, path, content, outcome) => {
      await using world = await testWorld({ engine })
      // Added by its content alone: not every such path can be a file of this machine's disk.
      const blob = await world.repository.add(path, content)
      await world.repository.add('neighbour.md', '# Neighbour\n\n[a](a.md)')
      await world.repository.commitStaged()
      expect(await world.sync()).toMatchObject({ status: 'first_sync', warnings: [] })
      const pages = await world.pages()
      expect(pages['neighbour.md']).toBeDefined()
      const { rows } = await world.db.query('SELECT path, blob_oid, code, message FROM tidemark.quarantine')
      if (outcome === 'page') {
        expect(pages[path]).toBe(blob)
        expect(rows).toEqual([])
      } else {
        expect(pages[path]).toBeUndefined()
        expect(rows).toMatchObject([{ path, blob_oid: blob, code: outcome }])
      }
      expect(await world.sync()).toMatchObject({ status: 'up_to_date' })
    },
  )

  test('whose path is not UTF-8 is set aside under the name that git shows', async () => {
    await using world = await testWorld({ engine })
    await world.repository.add(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x2e, 0x6d, 0x64]), 'x')
    await world.repository.add('neighbour.md', 'n')
    await world.repository.commitStaged()
    expect(await world.sync()).toMatchObject({ status: 'first_sync', filesImported: 1, filesQuarantined: 1 })
    const { rows } = await world.db.query('SELECT path, code FROM tidemark.quarantine')
    expect(rows).toEqual([{ path: 'caf\\351.md', code: 'path_not_utf8' }])
  })

  test.each([
    ['outside of the subpath', { subpath: 'docs' }],
    ['in an excluded folder', { exclude: ['caf*/'] }],
    ['that no pattern includes', { include: ['*.txt.md', '/keep.md'] }],
  ])('whose path is not UTF-8 and %s is not looked at', async (_, selection) => {
    await using world = await testWorld({ engine })
    await world.repository.add(Buffer.concat([Buffer.from('caf'), Buffer.from([0xe9]), Buffer.from('/x.md')]), 'x')
    await world.repository.add('docs/keep.md', 'k')
    await world.repository.add('keep.md', 'k')
    await world.repository.commitStaged()
    expect(await world.sync(selection)).toMatchObject({ status: 'first_sync', filesQuarantined: 0 })
  })

  test('and its twins in case and in Unicode form are all there', async () => {
    await using world = await testWorld({ engine })
    const twins = ['Readme.md', 'README.md', 'caf\u00e9.md', 'cafe\u0301.md', 'a/b.md', 'a.md', 'a-b.md']
    for (const [i, path] of twins.entries()) await world.repository.add(path, `twin ${i}`)
    await world.repository.commitStaged()
    await world.sync()
    expect(await world.pages()).toEqual(await world.repository.tree())
    const before = await world.ids()
    await world.repository.git.raw('update-index', '--force-remove', 'Readme.md')
    await world.repository.add('ReadMe.md', 'twin 0')
    await world.repository.commitStaged()
    expect(await world.sync()).toMatchObject({ filesRenamed: 1 })
    expect((await world.ids())['ReadMe.md']).toBe(before['Readme.md'])
  })

  test('in full-width letters beside an emoji is in its place, which UTF-16 has the other way round', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ '（a）.md': 'one', '😀.md': 'two' })
    expect(await world.sync()).toMatchObject({ status: 'first_sync', filesImported: 2 })
    await world.repository.commit({ '（a）.md': 'changed', '😀.md': 'two' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesUpdated: 1, filesDeleted: 0 })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('that becomes a folder, and back, leaves nothing behind', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'one', 'z.md': 'z' })
    await world.sync()
    await world.repository.commit({ 'a.md/inner.md': 'two', 'z.md': 'z' })
    await world.sync()
    expect(await world.pages()).toEqual(await world.repository.tree())
    await world.repository.commit({ 'a.md': 'two', 'z.md': 'z' })
    expect(await world.sync()).toMatchObject({ filesRenamed: 1 })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('may swap its path with another, both keeping their ids', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'A', 'b.md': 'B', 'c.md': 'C' })
    await world.sync()
    const before = await world.ids()
    await world.repository.commit({ 'a.md': 'B', 'b.md': 'A', 'd.md': 'C' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesRenamed: 3, filesUpdated: 0 })
    expect(await world.ids()).toEqual({
      'a.md': before['b.md'],
      'b.md': before['a.md'],
      'd.md': before['c.md'],
    })
  })

  test('of any bytes at all is stored or set aside, and never stops the run', {
    timeout: 120_000,
  }, async () => {
    await using world = await testWorld({ engine })
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: 'binary', maxLength: 300 }).map((text) => Buffer.from(text)),
      fc
        .string({ unit: fc.constantFrom(...'-:\n "\'[]{}#&*!|>%@`a1\\u0000'), maxLength: 120 })
        .map((text) => Buffer.from(`---\n${text}\n---\n${text}`)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 10, maxLength: 15 }), async (contents) => {
        await world.repository.git.raw('read-tree', '--empty')
        for (const [i, content] of contents.entries()) await world.repository.add(`f${i}.md`, content)
        await world.repository.add('keep.md', 'keep')
        await world.repository.commitStaged()
        const result = await world.sync({ allowMassDelete: true })
        expect(['first_sync', 'synced', 'up_to_date']).toContain(result.status)
        const { rows } = await world.db.query('SELECT path FROM tidemark.quarantine')
        const all = [...Object.keys(await world.pages()), ...rows.map(({ path }) => path)].sort()
        expect(all).toEqual(Object.keys(await world.repository.tree()).sort())
      }),
      { numRuns: 12 },
    )
  })
})
