import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { currentCommit, type Source, validateSource } from '../../src/index.ts'
import { sourceRecord } from '../../src/sync/source.ts'
import { emptyRepository } from '../world/test-repository.ts'

const source = (more: Partial<Source> = {}): Source => ({ id: 'docs', repo: '/srv/docs.git', ref: 'main', ...more })

/** What is wrong with a source and what to do, as one text; null where nothing is. */
function refusal(more: Partial<Source>): string | null {
  try {
    validateSource(source(more))
    return null
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string }
    return `${code}: ${message}. ${hint}`
  }
}

describe('a source may have', () => {
  test.each<[string, Partial<Source>]>([
    ['a name of letters, digits and ". _ -"', { id: '0a.B_c-D' }],
    ['a name of one letter', { id: 'd' }],
    ['a name of 64 letters', { id: 'd'.repeat(64) }],
    ['a path with a dash inside', { repo: 'my-docs' }],
    ['an address of any kind that is fetched', { repo: 'https://host/docs.git' }],
    ['an address as ssh has it', { repo: 'git@host:docs.git' }],
    ['a folder with dots in its name', { subpath: 'docs/v1..2/.hidden', linkRoot: 'docs/...' }],
    ['a root of links that is the root of the repository', { linkRoot: '.' }],
    ['patterns', { include: ['docs/**', ' a'], exclude: ['*.draft.md'] }],
    ['extensions with and without their dot, also of two parts', { extensions: ['md', '.qmd', 'html.md', 'a_b-c'] }],
    ['no pattern and no extension', { include: [], exclude: [], extensions: [] }],
    ['a language', { language: 'english' }],
    ['a language of two words', { language: 'my_english' }],
    ['a language of one letter, or of 63', { language: 'x'.repeat(63) }],
  ])('%s', (_, more) => {
    expect(refusal(more)).toBeNull()
  })
})

describe('a source is refused with what to do instead', () => {
  test.each(['', '.hidden', '-x', 'a b', 'a/b', 'ä', 'a\n', ' docs', 'd'.repeat(65)])(
    'for a name that cannot be one: %j',
    (id) => {
      expect(refusal({ id })).toBe(
        `BAD_SOURCE: "${id}" cannot be the name of a source. ` +
          'Use up to 64 letters, digits, ".", "_" and "-", beginning with a letter or digit.',
      )
    },
  )

  test.each(['', ' ', '--upload-pack=x', 'a\0b'])('for a repository that is none: %j', (repo) => {
    expect(refusal({ repo })).toBe(
      'BAD_SOURCE: source "docs" has no repository that could be read. Give the path of a git repository.',
    )
  })

  test.each(['', '/', '/docs', 'docs/', 'a//b', '..', 'a/../b', './a', 'a\0b'])(
    'for a folder that no repository has: %j',
    (folder) => {
      const why = `"${folder}" of source "docs" is not a folder of a repository`
      const hint = 'Give it as "docs/guide", from the root and without a slash at either end.'
      expect(refusal({ subpath: folder })).toBe(`BAD_SOURCE: the subpath ${why}. ${hint}`)
      expect(refusal({ linkRoot: folder })).toBe(`BAD_SOURCE: the linkRoot ${why}. ${hint}`)
    },
  )

  test('for a subpath that is the root: a source has all of it without one', () => {
    expect(refusal({ subpath: '.' })).toContain('the subpath "." of source "docs" is not a folder')
  })

  test.each(['', '.', '*', '*.md', 'md,mdx', 'a/b', '..md', 'md.', 'a..b', 'md '])(
    'for an extension that no file has: %j',
    (extension) => {
      expect(refusal({ extensions: ['md', extension] })).toBe(
        `BAD_SOURCE: source "docs" has an extension that no file has: ${JSON.stringify(extension)}. ` +
          'Give extensions as "md" or "mdx", without patterns; patterns go into include and exclude.',
      )
    },
  )

  test.each(['', ' ', 'a\nb', 'a\0'])('for a pattern that names nothing: %j', (pattern) => {
    const refused =
      `BAD_SOURCE: source "docs" has a pattern that names nothing: ${JSON.stringify(pattern)}. ` +
      'Write patterns as in .gitignore, for example "docs/**" or "*.draft.md".'
    expect(refusal({ include: ['docs/**', pattern] })).toBe(refused)
    expect(refusal({ exclude: [pattern] })).toBe(refused)
  })

  test.each(['', 'English', 'english; DROP', 'pg.english', ' english', 'x'.repeat(64)])(
    'for a language that no dictionary is called by: %j',
    (language) => {
      expect(refusal({ language })).toContain(
        `source "docs" has a language that no dictionary is called by: ${JSON.stringify(language)}. Give it as Postgres`,
      )
    },
  )

  test.each(['ext::sh -c x', 'http://me:secret@example.org/docs', 'ftp://me:secret@example.org/docs'])(
    'for an address that is not fetched, without its secrets: %j',
    (repo) => {
      const refused = refusal({ repo })
      expect(refused).toMatch(/^BAD_SOURCE: source "docs" has an address that is not fetched.*\. Give /)
      expect(refused).not.toContain('secret')
    },
  )

  test('before its commit is asked for', async () => {
    const { signal } = new AbortController()
    await expect(currentCommit(source({ repo: 'ext::x' }), signal)).rejects.toMatchObject({ code: 'BAD_SOURCE' })
  })
})

test.each([
  ['this machine', ''],
  ['a server', 'file://'],
])('the commit of a source is the one that its ref names now, on %s', async (_, scheme) => {
  const repository = await emptyRepository()
  const commit = await repository.commit({ 'a.md': 'a' })
  await repository.git.raw('tag', 'v1')
  await repository.commit({ 'a.md': 'b' })
  const tagged = source({ repo: `${scheme}${repository.folder}`, ref: 'v1' })
  expect(await currentCommit(tagged, new AbortController().signal)).toBe(commit)
  repository.remove()
})

describe('the database remembers', () => {
  test('a path as it is from everywhere, English, and links from the root', () => {
    expect(sourceRecord(source({ repo: 'docs' }))).toEqual({
      ...{ id: 'docs', repo: resolve('docs'), ref: 'main', language: 'english', linkRoot: '' },
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      settings: expect.stringMatching(/^[0-9a-f]{16} 1000000$/),
    })
  })

  test('an address without its secrets, so that a new password is no other source', () => {
    const first = sourceRecord(source({ repo: 'https://me:one@example.org/docs.git' }))
    expect(first.repo).toBe('https://example.org/docs.git')
    expect(sourceRecord(source({ repo: 'https://me:two@example.org/docs.git' }))).toEqual(first)
  })

  test('the folder that links begin at as links are matched: its own, else the subpath', () => {
    const linkRoot = (more: Partial<Source>) => sourceRecord(source(more)).linkRoot
    expect(linkRoot({ subpath: 'Docs/Guide' })).toBe('guide/docs')
    expect(linkRoot({ subpath: 'Docs/Guide', linkRoot: 'Site' })).toBe('site')
    expect(linkRoot({ subpath: 'Docs/Guide', linkRoot: '.' })).toBe('')
    expect(linkRoot({ linkRoot: 'x'.repeat(3_000) })).toBe('')
  })

  test.each<[string, Partial<Source>, boolean]>([
    ['repository', { repo: '/srv/other.git' }, true],
    ['ref', { ref: 'next' }, true],
    ['subpath', { subpath: 'docs' }, true],
    ['pattern to include', { include: ['docs/**'] }, true],
    ['pattern to exclude', { exclude: ['docs/**'] }, true],
    ['list of extensions', { extensions: ['md'] }, true],
    ['root of links', { linkRoot: 'docs' }, true],
    ['name', { id: 'other' }, false],
    ['language: what is searched is no part of the pages', { language: 'german' }, false],
    ['way to say nothing', { include: [], exclude: [], subpath: undefined, linkRoot: '.' }, false],
  ])('what a bookmark was made with, which another %s changes or not', (_, more, changes) => {
    const { fingerprint } = sourceRecord(source())
    expect(sourceRecord(source(more)).fingerprint !== fingerprint).toBe(changes)
  })
})
