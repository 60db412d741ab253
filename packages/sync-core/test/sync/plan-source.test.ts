import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { isolatedGit } from '@tidemark/test-engines/git'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../../src/database/database.ts'
import type { TracedGit } from '../../src/index.ts'
import { PARSER_VERSION } from '../../src/parse/parser-version.ts'
import { plannedChanges } from '../../src/plan/plan.ts'
import { planSource, type SourceComparison } from '../../src/sync/plan-source.ts'
import { emptyRepository, type TestRepository } from '../world/test-repository.ts'

let repository: TestRepository
beforeEach(async () => {
  repository = await emptyRepository()
})
afterEach(() => repository.remove())

const { signal } = new AbortController()
const parserVersion = PARSER_VERSION
const REWRITE_BEFORE = new Date('2026-01-01T00:00:00Z')

/** A database that has the files of a commit as pages, but for those in quarantine. It keeps what its pages are asked for. */
async function databaseOf(commit: string, quarantine: Record<string, string> = {}) {
  const tree = Object.entries(await repository.tree(commit)).filter(([path]) => !(path in quarantine))
  const pages = tree.toSorted().map(([path, blobOid]) => ({ id: `id of ${path}`, path, blobOid, parserVersion }))
  const asked: string[] = []
  const query = async (text: string, [source, paths, , rewriteBefore]: any[]) => {
    expect(source).toBe('docs')
    if (text.includes('count(*)')) return { rows: [{ count: pages.length }] }
    if (text.includes('tidemark.quarantine'))
      return { rows: Object.entries(quarantine).map(([path, blobOid]) => ({ path, blobOid, parserVersion })) }
    if (rewriteBefore === undefined) {
      asked.push(...JSON.parse(paths))
      return { rows: pages.filter(({ path }) => JSON.parse(paths).includes(path)) }
    }
    asked.push('all')
    return { rows: pages.map((page) => (rewriteBefore === null ? page : { ...page, parserVersion: 0 })) }
  }
  return { db: { query } as unknown as Database, asked }
}

interface Given extends Partial<SourceComparison> {
  /** What is in quarantine, `path → blob`. */
  readonly quarantine?: Record<string, string>
}

/** Compares the newest commit with pages that equal an older one. */
async function planFrom(stored: string, { quarantine, ...more }: Given = {}) {
  const { db, asked } = await databaseOf(stored, quarantine)
  const commit = await repository.git.revparse('HEAD')
  const plan = await planSource({
    ...{ db, sourceId: 'docs', folder: repository.folder, commit, selection: {}, retryQuarantined: false, signal },
    ...{ diffBase: stored, rewriteBefore: null, maxFiles: 1_000_000 },
    ...more,
  })
  const changes = [...plannedChanges(plan)].map(({ change, path, from }) =>
    [change, from, path].filter(Boolean).join(' '),
  )
  return { ...plan, changes, asked }
}

const BEFORE = { 'a.md': 'a', 'b.md': 'b', 'c.md': 'c', 'd.txt': 'd', 'e.md': 'e' }
const AFTER = { 'a.md': 'a', 'b.md': 'changed', 'moved.md': 'c', 'd.txt': 'changed', 'new.md': 'new' }
const CHANGES = ['rename c.md moved.md', 'update b.md', 'add new.md', 'delete e.md']

describe('a source whose pages equal a commit that is here', () => {
  test('is compared at the paths alone at which the two commits differ', async () => {
    const before = await repository.commit(BEFORE)
    await repository.commit(AFTER)
    const { changes, asked, changed, nothingSelected, stored, otherFiles } = await planFrom(before)
    const paths = ['b.md', 'c.md', 'd.txt', 'e.md', 'moved.md', 'new.md']
    expect(changes).toEqual(CHANGES)
    expect({ asked, changed, nothingSelected, stored }).toEqual({
      ...{ asked: paths, changed: paths, nothingSelected: null, stored: 4 },
    })
    expect([...otherFiles]).toEqual(['d.txt'])
  })

  test('keeps what is in quarantine elsewhere, and tries again what it is asked to', async () => {
    const before = await repository.commit({ ...BEFORE, 'bad.md': 'x', 'gone.md': 'y' })
    await repository.commit({ ...AFTER, 'bad.md': 'x' })
    const tree = await repository.tree(before)
    const quarantine = { 'bad.md': tree['bad.md']!, 'gone.md': tree['gone.md']! }
    expect(await planFrom(before, { quarantine })).toMatchObject({
      ...{ changes: CHANGES, quarantineCleared: ['gone.md'], stillQuarantined: 1 },
    })
    const everywhere = { quarantine, diffBase: null }
    expect(await planFrom(before, everywhere)).toMatchObject({
      ...{ changes: CHANGES, quarantineCleared: ['gone.md'], stillQuarantined: 1 },
    })
    const again = await planFrom(before, { ...everywhere, retryQuarantined: true })
    expect(again.changes).toContain('add bad.md')
  })

  test('is compared everywhere where a changed path is not UTF-8', async () => {
    const before = await repository.commit(BEFORE)
    await repository.add(Buffer.from([0xff, ...Buffer.from('.md')]), 'x')
    await repository.commitStaged()
    expect(await planFrom(before)).toMatchObject({ asked: ['all'], changed: null, changes: ['quarantine \\377.md'] })
  })

  test('is compared at up to 20,000 paths, and everywhere where more have changed', async () => {
    const before = await repository.commit({ 'a.md': 'a' })
    const lines = Array.from({ length: 20_001 }, (_, i) => `100644 ${'f00'.padEnd(40, '0')}\tp${i}.txt`)
    for (const [count, changed] of [
      [20_000, 20_000],
      [20_001, undefined],
    ] as const) {
      await stage(lines.slice(0, count))
      expect((await planFrom(before)).changed?.length).toBe(changed)
    }
  })
})

/** Makes a commit of the lines of an index, whatever they point at. */
async function stage(lines: readonly string[]) {
  await isolatedGit(repository.folder, Buffer.from(`${lines.join('\n')}\n`)).raw(
    'update-index',
    '--add',
    '--index-info',
  )
  const tree = (await repository.git.raw('write-tree', '--missing-ok')).trim()
  await repository.git.raw('update-ref', 'HEAD', (await repository.git.raw('commit-tree', tree, '-m', 'many')).trim())
}

describe('a source whose pages equal no commit', () => {
  test('is compared everywhere', async () => {
    const before = await repository.commit(BEFORE)
    await repository.commit(AFTER)
    const plan = await planFrom(before, { diffBase: null })
    expect(plan).toMatchObject({ changes: CHANGES, asked: ['all'], changed: null, nothingSelected: null, stored: 4 })
    expect([...plan.otherFiles]).toEqual(['d.txt'])
  })

  test('has each page written again that is older than it may be', async () => {
    const before = await repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    const { changes } = await planFrom(before, { diffBase: null, rewriteBefore: REWRITE_BEFORE })
    expect(changes).toEqual(['update a.md', 'update b.md'])
  })
})

describe('a source that has no file', () => {
  const nothing = { selection: { subpath: 'docs' } }

  test('is told why where all was compared, and its tree is read once more only then', async () => {
    const reads: string[] = []
    const onGit = (git: unknown) => void reads.push(...(git as TracedGit).args.filter((arg) => arg === 'ls-tree'))
    const before = await repository.commit(BEFORE)
    const why = `it has no folder "docs", nor any other\ntidemark sources set <id> --subpath ''`
    subscribe('tidemark:git', onGit)
    expect(await planFrom(before, { diffBase: null })).toMatchObject({ nothingSelected: null })
    expect(reads).toHaveLength(1)
    expect(await planFrom(before, { ...nothing, diffBase: null })).toMatchObject({ nothingSelected: why })
    expect(reads).toHaveLength(3)
    unsubscribe('tidemark:git', onGit)
  })

  test('any more is told why by the commit that took the last one', async () => {
    const before = await repository.commit({ 'a.md': 'a', 'b.md': 'b', 'x.txt': 'x' })
    await repository.commit({ 'x.txt': 'x' })
    const why = 'none of its files is Markdown: there are .txt 1'
    expect(await planFrom(before)).toMatchObject({ nothingSelected: why, changed: ['a.md', 'b.md'] })
    const quarantine = await repository.tree(before)
    expect(await planFrom(before, { quarantine })).toMatchObject({ nothingSelected: why })
  })

  test.each<[string, Record<string, string>, string[]]>([
    ['some are left elsewhere', { 'b.md': 'b' }, []],
    ['one has taken its place', { 'c.md': 'c' }, []],
    ['one is left that cannot be stored', { 'b.md': 'b', 'c.md': 'changed' }, ['b.md']],
  ])('of those that have changed has others: %s', async (_, files, quarantined) => {
    const before = await repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await repository.commit(files)
    const tree = await repository.tree(before)
    const quarantine = Object.fromEntries(quarantined.map((path) => [path, tree[path]!]))
    expect((await planFrom(before, { quarantine })).nothingSelected).toBeNull()
  })

  test('because none can be stored is not told that it selects none', async () => {
    const before = await repository.commit({ 'a.md': 'a', 'x.txt': '1' })
    const quarantine = await repository.tree(before)
    await repository.commit({ 'a.md': 'a', 'x.txt': '2' })
    expect((await planFrom(before, { quarantine })).nothingSelected).toBeNull()
  })

  test('that changes no file of its selection is not looked at once more', async () => {
    const before = await repository.commit({ 'a.txt': '1' })
    await repository.commit({ 'a.txt': '2' })
    expect((await planFrom(before)).nothingSelected).toBeNull()
  })
})
