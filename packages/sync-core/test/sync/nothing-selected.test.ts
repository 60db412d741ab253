import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { describeSource, readStatus, type Source, type SyncResult, type TracedGit } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const FILES = {
  'README.rst': 'r',
  'docs/guide/a.md': 'a',
  'docs/guide/b.md': 'b',
  'docs/notes.txt': 'n',
  'src/index.ts': 's',
  'src/lib/util.ts': 'u',
}

const warningsOf = ({ warnings }: SyncResult) => warnings.filter(({ code }) => code === 'nothing_selected')

/** What `status` knows of the source without looking at its repository. */
async function storedWarnings(world: TestWorld) {
  const [status] = await readStatus(world.db, ['docs'])
  return describeSource(
    status!,
    { commit: 'c' },
    { everyMs: 1, fingerprint: '', settings: '', searches: true, unembedded: null },
  ).warnings
}

describe.each(engines)('a source in %s that selects no file', (engine) => {
  test.each<[string, Partial<Source>, string]>([
    ['a folder that is not there', { subpath: 'dosc' }, 'it has no folder "dosc": did you mean docs?'],
    ['a deeper one', { subpath: 'docs/giude' }, 'it has no folder "docs/giude": did you mean docs/guide?'],
    ['one in other letters', { subpath: 'Docs' }, 'it has no folder "Docs": did you mean docs?'],
    ['one without those above it', { subpath: 'guide' }, 'it has no folder "guide": did you mean docs/guide?'],
    ['a file', { subpath: 'docs/guide/a.md' }, 'it has no folder "docs/guide/a.md": did you mean docs/guide?'],
    ['a folder without Markdown', { subpath: 'src' }, 'none of its files in src is Markdown: there are .ts 2'],
    ['a pattern', { include: ['dosc/**'] }, 'no file matches include "dosc/**": did you mean docs?'],
    [
      'one below a folder',
      { include: ['guide/**/*.md'] },
      'no file matches include "guide/**/*.md": did you mean docs/guide?',
    ],
    [
      'a pattern of files that are not there',
      { include: ['*.draft.md'] },
      'include leaves out all of its 2 Markdown files: there are .md 2, .ts 2, .rst 1, .txt 1',
    ],
    [
      'what it leaves out',
      { subpath: 'docs', exclude: ['guide/'] },
      'exclude leaves out all of its 2 Markdown files in docs: there are .md 2, .txt 1',
    ],
    [
      'a pattern and what that leaves out',
      { include: ['/docs/**'], exclude: ['*.md'] },
      'include and exclude leave out all of its 2 Markdown files: there are .md 2, .ts 2, .rst 1, .txt 1',
    ],
  ])('by %s is synced, and told what there is instead', async (_, source, message) => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    const warnings = [
      { code: 'nothing_selected', message, hint: expect.stringContaining('tidemark sources set docs --') },
    ]
    expect(warningsOf(await world.sync({ ...source, dryRun: true }))).toEqual(warnings)
    const first = await world.sync(source)
    expect(first).toMatchObject({ status: 'first_sync', filesImported: 0 })
    expect(warningsOf(first)).toEqual(warnings)
    expect(await storedWarnings(world)).toEqual(warnings)
    const again = await world.sync(source)
    expect(again.status).toBe('up_to_date')
    expect(warningsOf(again)).toEqual(warnings)
  })

  test('because the repository has no Markdown is told what it has', async () => {
    await using world = await testWorld({ engine })
    const many = (count: number, extension: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`docs/f${i}.${extension}`, `${i}`]))
    await world.repository.commit({ ...many(120, 'rst'), ...many(3, 'TXT'), Makefile: 'm' })
    expect(warningsOf(await world.sync())).toMatchObject([
      { message: 'none of its files is Markdown: there are .rst 120, .txt 3, without extension 1' },
    ])
    await world.repository.commit({})
    expect(warningsOf(await world.sync())).toMatchObject([{ message: 'the commit has no files' }])
    expect(warningsOf(await world.sync({ subpath: 'docs' }))).toMatchObject([{ message: 'the commit has no files' }])
  })

  test('is told so no longer when it selects some, by its configuration or by a commit', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync({ subpath: 'dosc' })
    const mended = await world.sync({ subpath: 'docs' })
    expect(mended).toMatchObject({ status: 'synced', filesImported: 2, warnings: [] })
    expect(await storedWarnings(world)).toEqual([])

    const id = 'docs'
    await world.empty()
    await world.sync({ id, subpath: 'later' })
    await world.repository.commit({ ...FILES, 'src/more.ts': 'm', 'latest/x.txt': 'x' })
    expect(warningsOf(await world.sync({ subpath: 'later' }))).toMatchObject([
      { message: 'it has no folder "later": did you mean latest?' },
    ])
    await world.repository.commit({ ...FILES, 'later/a.md': 'l' })
    expect(await world.sync({ subpath: 'later' })).toMatchObject({ status: 'synced', filesImported: 1, warnings: [] })
    expect(await storedWarnings(world)).toEqual([])
  })

  test('any more is told so by the commit that took the last one, and only then', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'docs/a.md': 'a', 'docs/b.md': Buffer.from([0xff]), 'x.txt': '1' })
    expect((await world.sync()).warnings).toEqual([])
    await world.repository.commit({ 'docs/b.md': Buffer.from([0xff]), 'x.txt': '1' })
    expect((await world.sync({ allowMassDelete: true })).warnings).toEqual([])
    await world.repository.commit({ 'docs/b.md': Buffer.from([0xff]), 'x.txt': '2' })
    expect((await world.sync()).warnings).toEqual([])
    await world.repository.commit({ 'x.txt': '2' })
    const result = await world.sync()
    expect(warningsOf(result)).toMatchObject([{ message: 'none of its files is Markdown: there are .txt 1' }])
    expect(await storedWarnings(world)).toHaveLength(1)
  })

  test('any more, which would delete all of its pages, is told so beside that', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync({ subpath: 'docs' })
    const blocked = await world.sync({ subpath: 'dosc' })
    expect(blocked.status).toBe('blocked')
    expect(blocked.warnings.map(({ code }) => code)).toEqual(['nothing_selected', 'mass_delete'])
  })

  test('is the only one whose tree is read twice', async () => {
    await using world = await testWorld({ engine })
    const reads: string[] = []
    const onGit = (git: unknown) => {
      const [command = ''] = (git as TracedGit).args
      if (command === 'ls-tree') reads.push(command)
    }
    subscribe('tidemark:git', onGit)
    await world.repository.commit(FILES)
    await world.sync()
    expect(reads).toHaveLength(1)
    await world.sync({ include: ['nothing'], allowMassDelete: true })
    expect(reads).toHaveLength(3)
    unsubscribe('tidemark:git', onGit)
  })
})
