import { describe, expect, test } from 'vitest'
import { fileFilter, type Selection, tooLarge } from '../../src/plan/eligible.ts'

const FILE = '100644'
const [SYMLINK, SUBMODULE] = ['120000', '160000']
const classify = (path: string | Buffer, selection: Selection = {}, mode = FILE) =>
  fileFilter(selection).classify({ mode, path, blobOid: 'f00' })

describe('a file', () => {
  test.each(['a.md', 'docs/A.MD', 'b.markdown', '.md', 'a.MarkDown'])('%s may be a page', (path) => {
    expect(classify(path)).toEqual({ path, blobOid: 'f00' })
  })

  test.each(['a.txt', 'amd', 'a.md.txt', 'a.mdxx', 'md', 'README'])('%s is none', (path) => {
    expect(classify(path)).toBeNull()
    expect(classify(Buffer.from([...Buffer.from(path), 0xff]))).toBeNull()
  })

  test('has one of the endings that are given, whole and in any case', () => {
    const selection = { extensions: ['.qmd', 'html.md'] }
    for (const path of ['a.qmd', 'a.QMD', 'a.html.md']) expect(classify(path, selection)).toMatchObject({ path })
    for (const path of ['a.md', 'aqmd', 'a.htmlmd', 'a.html-md', 'a.qmd.txt'])
      expect(classify(path, selection)).toBeNull()
  })

  test('that may be run is a page too', () => {
    expect(classify('a.md', {}, '100755')).toMatchObject({ path: 'a.md' })
  })
})

describe('a selection', () => {
  test.each<[Selection, string[], string[]]>([
    [{ subpath: 'docs' }, ['docs/a.md', 'docs/b/c.md'], ['a.md', 'docs2/a.md', 'other/docs/a.md']],
    [{ include: ['guide/**', 'a.md'] }, ['guide/b.md', 'a.md'], ['c.md', 'Guide/b.md']],
    [{ exclude: ['drafts/', '*.private.md'] }, ['a.md', 'Drafts/a.md'], ['drafts/a.md', 'b.private.md']],
    [{ include: ['docs/**'], exclude: ['docs/old/**'] }, ['docs/a.md'], ['docs/old/a.md', 'a.md']],
    [{ include: [], exclude: [] }, ['a.md'], []],
    [{ subpath: 'docs', exclude: ['a.md'] }, ['docs/b.md'], ['docs/a.md', 'b.md']],
  ])('%j', (selection, taken, left) => {
    expect(taken.filter((path) => classify(path, selection) === null)).toEqual([])
    expect(left.filter((path) => classify(path, selection) !== null)).toEqual([])
  })
})

test('symlinks to Markdown and submodules are no files, and counted where they are selected', () => {
  const filter = fileFilter({ subpath: 'docs' })
  const entries: [string | Buffer, string][] = [
    ['docs/a.md', SYMLINK],
    ['docs/a.txt', SYMLINK],
    ['b.md', SYMLINK],
    [Buffer.from([0xff, 0x2e, 0x6d, 0x64]), SYMLINK],
    [Buffer.concat([Buffer.from('docs/'), Buffer.from([0xff, 0x2e, 0x6d, 0x64])]), SYMLINK],
    ['docs/theirs', SUBMODULE],
    ['docs/theirs.md', SUBMODULE],
    ['theirs', SUBMODULE],
    [Buffer.from([0xff]), SUBMODULE],
    ['docs/page.md', FILE],
  ]
  const classified = entries.map(([path, mode]) => filter.classify({ path, mode, blobOid: 'f00' }))
  expect(classified.filter((each) => each !== null)).toEqual([{ path: 'docs/page.md', blobOid: 'f00' }])
  expect(filter.skipped).toEqual({ symlinks: 2, submodules: 2 })
})

test('a file that is no page is known for the links to it, where it is selected and an index can hold it', () => {
  const { isLinkable } = fileFilter({ subpath: 'docs', include: ['*.md'] })
  expect(isLinkable('docs/logo.png')).toBe(true)
  expect(isLinkable('logo.png/docs/')).toBe(false)
  expect(isLinkable(`docs/${'x'.repeat(2_000)}`)).toBe(false)
  expect(isLinkable(Buffer.from([...Buffer.from('docs/'), 0xff]))).toBe(false)
})

describe('a path', () => {
  test('may have 2,000 bytes', () => {
    for (const letter of ['x', 'é']) {
      const longest = letter.repeat((2_000 - 4) / Buffer.byteLength(letter))
      expect(classify(`${longest}a.md`)).toEqual({ path: `${longest}a.md`, blobOid: 'f00' })
      const path = `${longest}aa.md`
      expect(classify(path)).toEqual({
        path,
        blobOid: 'f00',
        code: 'path_too_long',
        message: 'the path has 2001 bytes, at most 2000 can be indexed: shorten it',
      })
    }
  })

  test.each([
    [[0xff, '.md'], '\\377.md'],
    [['a', 0x07, 0xe9, '.md'], 'a\x07\\351.md'],
    [['é😀', 0xc3, '.md'], 'é😀\\303.md'],
    [[0x80, 0x01, '.md'], '\\200\x01.md'],
    [['dir/', 0xf0, 0x9f, '.md'], 'dir/\\360\\237.md'],
  ])('that is not UTF-8 (%j) is shown as git quotes it', (parts, path) => {
    const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))))
    expect(classify(bytes)).toEqual({
      path,
      blobOid: 'f00',
      code: 'path_not_utf8',
      message: 'the name of the file is not UTF-8: rename it',
    })
  })
})

test('a file that is too large is told with its size and the limit', () => {
  expect(tooLarge(4.26 * 1024 * 1024)).toMatchObject({
    code: 'too_large',
    message: 'the file has 4.3 MB, at most 4.0 MB can be a page',
  })
})
