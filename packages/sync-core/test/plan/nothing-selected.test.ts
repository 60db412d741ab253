import { describe, expect, test } from 'vitest'
import type { Selection } from '../../src/plan/eligible.ts'
import { explainNothingSelected } from '../../src/plan/nothing-selected.ts'

/** Why a selection has none of these files: names with a space between them. */
async function explain(paths: string, selection: Selection = {}) {
  const entries = paths.split(' ').filter(Boolean)
  const files = entries.map((path) => [{ path, blobOid: 'f00', mode: '100644' }])
  const text = await explainNothingSelected(
    (async function* () {
      yield* files
    })(),
    selection,
  )
  return text.split('\n')[0]
}

const FILES = 'README.rst docs/guide/a.md docs/guide/b.md docs/notes.txt src/index.ts src/lib/util.ts'

describe('a selection without a file is told', () => {
  test('that there are no files', async () => {
    expect(await explain('', { subpath: 'docs' })).toBe('the commit has no files')
  })

  test.each([
    ['dosc', 'docs'],
    ['docs/giude', 'docs/guide'],
    ['DOCS', 'docs'],
    ['SRC/LIB', 'src/lib'],
    ['guide', 'docs/guide'],
    ['lib', 'src/lib'],
    ['docs/guide/a.md', 'docs/guide'],
  ])('that there is no folder %s, and which comes nearest: %s', async (subpath, nearest) => {
    const why = `it has no folder "${subpath}": did you mean ${nearest}?`
    expect(await explain(FILES, { subpath })).toBe(why)
  })

  test('of folders as long as it the one whose letters come nearest, large or small', async () => {
    expect(await explain('test/x docs/x', { subpath: 'DOSC' })).toBe('it has no folder "DOSC": did you mean docs?')
    expect(await explain('TEST/x DOCS/x', { subpath: 'dosc' })).toBe('it has no folder "dosc": did you mean DOCS?')
  })

  test('of folders that come as near the first', async () => {
    expect(await explain('ab/x ac/x', { subpath: 'a' })).toBe('it has no folder "a": did you mean ab?')
  })

  test('that there is no folder at all', async () => {
    expect(await explain('a.txt', { subpath: 'docs' })).toBe('it has no folder "docs", nor any other')
  })

  test('what there is instead of Markdown, of its folder alone, the most frequent first', async () => {
    expect(await explain('a.txt b.TXT c.rst Makefile d.txt')).toBe(
      'none of its files is Markdown: there are .txt 3, .rst 1, without extension 1',
    )
    expect(await explain(`${FILES} src2/c.js`, { subpath: 'src' })).toBe(
      'none of its files in src is Markdown: there are .ts 2',
    )
  })

  test('of extensions the five that most files have', async () => {
    expect(await explain('1.a 1.b 1.c 1.d 1.e')).toMatch(/: there are .a 1, .b 1, .c 1, .d 1, .e 1$/)
    expect(await explain('1.a 1.b 1.c 1.d 1.e 1.f 2.f')).toMatch(/: there are .f 2, .a 1, .b 1, .c 1, .d 1, …$/)
  })

  test.each([
    ['dosc/**', 'docs'],
    ['/dosc/**', 'docs'],
    ['docs/giude/*.md', 'docs/guide'],
    ['giude', 'docs'],
    ['docs/b/c.md', 'docs'],
    ['guide/**/*.md', 'docs/guide'],
    ['/lib', 'src/lib'],
    ['dosc/[ab]/x', 'docs'],
    ['dosc/a?/x', 'docs'],
    ['dosc/\\#/x', 'docs'],
  ])(
    'that no file matches the folder of a pattern to include, and which comes nearest: %s',
    async (pattern, nearest) => {
      expect(await explain(FILES, { include: [pattern] })).toBe(
        `no file matches include "${pattern}": did you mean ${nearest}?`,
      )
    },
  )

  test.each([
    ['of any name', '*.draft.md'],
    ['of a name', 'c.md'],
    ['in a folder that is there', 'docs/guide/*.draft.md'],
    ['in a folder that is there, from the root', '/docs/*.md'],
    ['in a folder of that name, wherever it is', 'lib'],
    ['in a folder of that name, wherever it is, with a slash behind it', 'lib/'],
    ['in any folder', '**/x/*.md'],
    ['but those', '!dosc/**'],
  ])('that a pattern to include leaves out all, where it is one for files %s', async (_, pattern) => {
    expect(await explain(FILES, { include: [pattern] })).toBe(
      'include leaves out all of its 2 Markdown files: there are .md 2, .ts 2, .rst 1, .txt 1',
    )
  })

  test('of the first pattern to include whose folder is not there', async () => {
    expect(await explain(FILES, { include: ['docs/*.md', 'scr/*.md', 'dosc/*.md'] })).toMatch(
      /^no file matches include "scr/,
    )
  })

  test('which kinds of patterns leave out all', async () => {
    const out = 'out all of its 2 Markdown files in docs: there are .md 2, .txt 1'
    const subpath = 'docs'
    expect(await explain(FILES, { subpath, exclude: ['guide/'] })).toBe(`exclude leaves ${out}`)
    const include = ['docs/**']
    expect(await explain(FILES, { subpath, include, exclude: ['*'] })).toBe(`include and exclude leave ${out}`)
  })

  test('by the extensions that it has, where it has some of its own', async () => {
    expect(await explain(FILES, { extensions: ['qmd'] })).toMatch(/^none of its files is Markdown/)
    expect(await explain(FILES, { extensions: ['rst'], exclude: ['*'] })).toMatch(/out all of its 1 Markdown files/)
  })

  test.each<[string, Selection, step: string | undefined]>([
    ['the folder that was meant', { subpath: 'dosc' }, '--subpath docs'],
    ['a folder that a shell would take apart', { subpath: "it's" }, `--subpath 'it'\\''s a'`],
    [
      'the pattern with that folder, and those beside it',
      { include: ['*.txt', 'giude/*.md'] },
      "--include '*.txt' 'docs/*.md'",
    ],
    ['no pattern to exclude', { exclude: ['*'] }, "--exclude ''"],
    ['no pattern at all', { include: ['docs/**'], exclude: ['*'] }, "--include '' --exclude ''"],
    ['the usual extensions', { extensions: ['qmd'] }, "--extensions ''"],
    ['nothing where there is no Markdown', { subpath: 'src' }, undefined],
  ])('with the command that selects some: by %s', async (_, selection, step) => {
    const paths = selection.subpath === "it's" ? ["it's a/x.md"] : FILES.split(' ')
    const files = paths.map((path) => [{ path, blobOid: 'f00', mode: '100644' }])
    const told = await explainNothingSelected(files.values() as never, selection)
    expect(told.split('\n')[1]).toBe(step && `tidemark sources set <id> ${step}`)
  })
})
