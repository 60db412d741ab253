import { describe, expect, test } from 'vitest'
import type { TreeEntry } from '../../src/git/tree.ts'
import { PARSER_VERSION } from '../../src/parse/parser-version.ts'
import { type Comparison, makePlan } from '../../src/plan/compare.ts'
import type { Plan, QuarantinedFile, StoredPage } from '../../src/plan/plan.ts'
import { plannedChanges } from '../../src/plan/plan.ts'

/** A file of a tree: its path and a letter for its content. */
const file = (path: string, letter: string, mode = '100644'): TreeEntry => ({ path, blobOid: oid(letter), mode })
const oid = (letter: string) => letter.charCodeAt(0).toString(16).repeat(20)
const page = (path: string, letter: string, parserVersion = PARSER_VERSION): StoredPage => ({
  id: `id of ${path}`,
  path,
  blobOid: oid(letter),
  parserVersion,
})
const quarantined = (path: string, letter: string, parserVersion = PARSER_VERSION): QuarantinedFile => ({
  path,
  blobOid: oid(letter),
  parserVersion,
})

/** One by one, two by two or all at once: a stream may be cut anywhere. */
async function* inArrays<T>(records: readonly T[], size: number): AsyncGenerator<T[]> {
  for (let i = 0; i < records.length; i += size) yield records.slice(i, i + size)
}

interface Given extends Partial<Omit<Comparison, 'files' | 'pages' | 'quarantine'>> {
  readonly quarantine?: readonly QuarantinedFile[]
}

let counted = 0

async function compare(pages: readonly StoredPage[], files: readonly TreeEntry[], more: Given = {}): Promise<Plan> {
  counted = 0
  const plans = []
  for (const size of [1_000, 1, 2]) {
    const plan = await makePlan({
      covers: () => true,
      selection: {},
      retryQuarantined: false,
      countPages: async () => {
        counted++
        return pages.length
      },
      ...more,
      files: inArrays(files, size),
      pages: inArrays(pages, size),
      quarantine: new Map((more.quarantine ?? []).map((each) => [each.path, each])),
    })
    plans.push(plan)
  }
  const [plan] = plans as [Plan]
  for (const other of plans) expect(changes(other)).toEqual(changes(plan))
  return plan
}

const changes = (plan: Plan) =>
  [...plannedChanges(plan)].map(({ change, path, from }) => `${change} ${from ? `${from} → ` : ''}${path}`)

const counts = (imported: number, updated: number, renamed: number, deleted: number, rejected = 0) => ({
  filesImported: imported,
  filesUpdated: updated,
  filesRenamed: renamed,
  filesDeleted: deleted,
  filesQuarantined: rejected,
})

describe('a plan', () => {
  test('of what is the same on both sides is empty, and counts no pages', async () => {
    const plan = await compare([page('a.md', 'A'), page('b.md', 'B')], [file('a.md', 'A'), file('b.md', 'B')])
    expect(changes(plan)).toEqual([])
    expect(plan).toMatchObject({ counts: counts(0, 0, 0, 0), stored: 0, stillQuarantined: 0, quarantineCleared: [] })
    expect(counted).toBe(0)
  })

  test('of a first import adds every file in its place', async () => {
    const plan = await compare([], [file('a.md', 'A'), file('b.md', 'A')])
    expect(changes(plan)).toEqual(['add a.md', 'add b.md'])
    expect([...plan.writes][0]).toEqual({ id: null, path: 'a.md', blobOid: oid('A'), oldBlobOid: null })
    expect(plan).toMatchObject({ counts: counts(2, 0, 0, 0), stored: 0 })
  })

  test('of an emptied repository deletes every page', async () => {
    const plan = await compare([page('a.md', 'A'), page('b.md', 'B')], [])
    expect(changes(plan)).toEqual(['delete a.md', 'delete b.md'])
    expect([...plan.deletes][0]).toEqual({ id: 'id of a.md', path: 'a.md', blobOid: oid('A') })
    expect(plan).toMatchObject({ counts: counts(0, 0, 0, 2), stored: 2 })
  })

  test('adds, updates and deletes on both sides of what stays', async () => {
    const plan = await compare(
      [page('a.md', 'A'), page('c.md', 'C'), page('d.md', 'D'), page('f.md', 'F')],
      [file('b.md', 'B'), file('c.md', 'X'), file('d.md', 'D'), file('e.md', 'E')],
    )
    expect(changes(plan)).toEqual(['add b.md', 'update c.md', 'add e.md', 'delete a.md', 'delete f.md'])
    expect([...plan.writes][1]).toEqual({ id: 'id of c.md', path: 'c.md', blobOid: oid('X'), oldBlobOid: oid('C') })
    expect(plan).toMatchObject({ counts: counts(2, 1, 0, 2), stored: 4 })
    expect(counted).toBe(3)
  })

  test('writes again what another parser has made, and renames it nowhere', async () => {
    const plan = await compare([page('a.md', 'A', PARSER_VERSION - 1)], [file('a.md', 'A'), file('b.md', 'A')])
    expect(changes(plan)).toEqual(['update a.md', 'add b.md'])
    expect(plan.counts).toEqual(counts(1, 1, 0, 0))
  })

  test('counts a rename as that alone, and a chain or a swap of them too', async () => {
    const renamed = await compare([page('a.md', 'A')], [file('b.md', 'A')])
    expect(changes(renamed)).toEqual(['rename a.md → b.md'])
    expect(renamed.counts).toEqual(counts(0, 0, 1, 0))
    const chain = await compare([page('a.md', 'A'), page('b.md', 'B')], [file('b.md', 'A'), file('c.md', 'B')])
    expect(changes(chain)).toEqual(['rename b.md → c.md', 'rename a.md → b.md'])
    expect(chain.counts).toEqual(counts(0, 0, 2, 0))
    const swap = await compare([page('a.md', 'A'), page('b.md', 'B')], [file('a.md', 'B'), file('b.md', 'A')])
    expect(changes(swap).sort()).toEqual(['rename a.md → b.md', 'rename b.md → a.md'])
    expect(swap.counts).toEqual(counts(0, 0, 2, 0))
    expect(swap.stored).toBe(0)
  })

  test('goes by the byte order of paths, not by that of JavaScript', async () => {
    // A full-width bracket and an emoji: two units of UTF-16, of which the first is the smaller one.
    const paths = ['a.md', 'é.md', '\ue000.md', '（a）.md', '😀.md']
    const plan = await compare(
      paths.map((path) => page(path, 'A')),
      paths.map((path) => file(path, 'B')),
    )
    expect(changes(plan)).toEqual(paths.map((path) => `update ${path}`))
  })

  test('leaves out what the selection does not name, and says what it has skipped', async () => {
    const plan = await compare(
      [page('docs/a.md', 'A'), page('other/b.md', 'B')],
      [
        file('docs/a.md', 'A'),
        file('docs/link.md', 'L', '120000'),
        file('docs/module', 'M', '160000'),
        file('other/b.md', 'B'),
      ],
      { selection: { subpath: 'docs' } },
    )
    expect(changes(plan)).toEqual(['delete other/b.md'])
    expect(plan.skipped).toEqual({ symlinks: 1, submodules: 1 })
  })

  test('sets aside files whose paths cannot be stored, wherever they stand, and deletes a page of that path', async () => {
    const bytes = Buffer.from([0x66, 0xff, 0x2e, 0x6d, 0x64])
    const long = `${'x'.repeat(2_000)}.md`
    const plan = await compare(
      [page('g.md', 'G'), page(long, 'L')],
      [{ path: bytes, blobOid: oid('F'), mode: '100644' }, file('g.md', 'G'), file(long, 'L')],
    )
    expect(changes(plan)).toEqual(['quarantine f\\377.md', `quarantine ${long}`, `delete ${long}`])
    expect(plan.rejected.map(({ code }) => code)).toEqual(['path_not_utf8', 'path_too_long'])
    expect(plan.counts).toEqual(counts(0, 0, 0, 1, 2))
    // As git shows it, the bad one stands behind what follows it.
    const behind = await compare(
      [],
      [{ path: Buffer.from([0x61, 0xff, 0x2e, 0x6d, 0x64]), blobOid: oid('F'), mode: '100644' }, file('aé.md', 'A')],
    )
    expect(behind.rejected).toHaveLength(1)
  })
})

describe('a file in quarantine', () => {
  test('that has not changed is not tried again, and keeps no page', async () => {
    const plan = await compare([page('a.md', 'A')], [file('a.md', 'X')], { quarantine: [quarantined('a.md', 'X')] })
    expect(changes(plan)).toEqual(['delete a.md'])
    expect(plan).toMatchObject({ stillQuarantined: 1, quarantineCleared: [] })
  })

  test('is tried again when it has changed, when the parser has, and when that is asked for', async () => {
    for (const [entry, more] of [
      [quarantined('a.md', 'Y'), {}],
      [quarantined('a.md', 'X', PARSER_VERSION - 1), {}],
      [quarantined('a.md', 'X'), { retryQuarantined: true }],
    ] as const) {
      const plan = await compare([], [file('a.md', 'X')], { quarantine: [entry], ...more })
      expect(changes(plan)).toEqual(['add a.md'])
      expect(plan).toMatchObject({ stillQuarantined: 0, quarantineCleared: [] })
    }
  })

  test('that is gone is cleared, but not where nobody has looked', async () => {
    const plan = await compare([], [file('docs/b.md', 'B')], {
      quarantine: [quarantined('docs/a.md', 'A'), quarantined('elsewhere/a.md', 'A'), quarantined('docs/b.md', 'B')],
      covers: (path) => path.startsWith('docs/'),
    })
    expect(changes(plan)).toEqual([])
    expect(plan).toMatchObject({ stillQuarantined: 2, quarantineCleared: ['docs/a.md'] })
  })

  test('for its path is set aside anew when it is tried again, and not otherwise', async () => {
    const long = `${'x'.repeat(2_000)}.md`
    const still = await compare([], [file(long, 'L')], { quarantine: [quarantined(long, 'L')] })
    expect(still).toMatchObject({ rejected: [], stillQuarantined: 1 })
    const again = await compare([], [file(long, 'L')], { quarantine: [quarantined(long, 'L')], retryQuarantined: true })
    expect(again.rejected).toHaveLength(1)
    expect(again).toMatchObject({ stillQuarantined: 0, quarantineCleared: [] })
  })
})
