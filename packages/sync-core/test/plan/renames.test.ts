import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compressedList } from '../../src/plan/compressed-list.ts'
import type { Delete, Write } from '../../src/plan/plan.ts'
import { findRenames } from '../../src/plan/renames.ts'

const oid = (letter: string) => letter.charCodeAt(0).toString(16).repeat(20)

/** The differences between two trees, `path → letter`; a page's id is its path before. */
function differences(before: Record<string, string>, after: Record<string, string>) {
  const writes = compressedList<Write>()
  const vanished = compressedList<Delete>()
  for (const [path, letter] of Object.entries(after)) {
    const old = before[path]
    if (old === letter) continue
    const oldBlobOid = old === undefined ? null : oid(old)
    writes.push({ id: old === undefined ? null : path, path, blobOid: oid(letter), oldBlobOid })
  }
  for (const [path, letter] of Object.entries(before)) {
    if (!(path in after)) vanished.push({ id: path, path, blobOid: oid(letter) })
  }
  return { writes, vanished }
}

async function moves(before: Record<string, string>, after: Record<string, string>): Promise<string[]> {
  const { writes, vanished } = differences(before, after)
  const { renames } = await findRenames(writes, vanished)
  return [...renames].map(({ from, path }) => `${from} → ${path}`)
}

describe('a rename', () => {
  test('is the same content at another path, its own path gone', async () => {
    expect(await moves({ a: 'X', k: 'K' }, { b: 'X', k: 'K' })).toEqual(['a → b'])
  })
  test('may be one of a chain, which is followed from its end', async () => {
    expect(await moves({ a: 'X', b: 'Y' }, { b: 'X', c: 'Y' })).toEqual(['b → c', 'a → b'])
  })
  test('may be a swap', async () => {
    expect((await moves({ a: 'X', b: 'Y' }, { a: 'Y', b: 'X' })).sort()).toEqual(['a → b', 'b → a'])
  })
  test('is not a copy whose original was then changed', async () => {
    expect(await moves({ a: 'X' }, { a: 'Z', b: 'X' })).toEqual([])
  })
  test('is not a file put over another', async () => {
    expect(await moves({ a: 'X', b: 'Y' }, { b: 'X' })).toEqual([])
  })
  test('takes each page once where several have the same content', async () => {
    expect(await moves({ a: 'X', b: 'X' }, { c: 'X', d: 'X', e: 'X' })).toEqual(['a → c', 'b → d'])
  })
})

/** What is left to be written and deleted beside the renames. */
async function left(before: Record<string, string>, after: Record<string, string>) {
  const { writes, vanished } = differences(before, after)
  const found = await findRenames(writes, vanished)
  return {
    renames: [...found.renames].map(({ from, path }) => `${from} → ${path}`),
    chains: found.chains,
    writes: [...found.writes].map(({ path }) => path),
    deletes: [...found.deletes].map(({ path }) => path),
  }
}

describe('beside renames', () => {
  test('all that is no rename is left to be written and deleted, in its order', async () => {
    expect(await left({ a: 'X', b: 'Y', c: 'Z', d: 'D' }, { d: 'E', e: 'N', f: 'X', g: 'M' })).toEqual({
      renames: ['a → f'],
      chains: 1,
      writes: ['d', 'e', 'g'],
      deletes: ['b', 'c'],
    })
    expect(await left({ a: 'X', b: 'Y' }, { b: 'Z', c: 'N' })).toEqual({
      renames: [],
      chains: 0,
      writes: ['b', 'c'],
      deletes: ['a'],
    })
  })

  test('a chain leaves nothing, and what is put over one page more leaves that', async () => {
    expect(await left({ a: 'X', b: 'Y' }, { b: 'X', c: 'Y' })).toMatchObject({ chains: 1, writes: [], deletes: [] })
    expect(await left({ a: 'X', b: 'Y' }, { b: 'X' })).toMatchObject({ chains: 0, writes: ['b'], deletes: ['a'] })
    expect(await left({ a: 'X', b: 'Y' }, { a: 'Y', b: 'X' })).toMatchObject({ chains: 0, writes: [], deletes: [] })
  })

  test('a page that another parser made and whose content stands elsewhere too stays where it is', async () => {
    const writes = compressedList<Write>()
    writes.push({ id: 'a', path: 'a', blobOid: oid('X'), oldBlobOid: oid('X') })
    writes.push({ id: null, path: 'b', blobOid: oid('X'), oldBlobOid: null })
    writes.push({ id: 'c', path: 'c', blobOid: oid('X'), oldBlobOid: oid('Y') })
    const found = await findRenames(writes, compressedList<Delete>())
    expect([...found.renames]).toEqual([])
    expect([...found.writes].map(({ path }) => path)).toEqual(['a', 'b', 'c'])
  })

  test('pages that are only written again go nowhere', async () => {
    const writes = compressedList<Write>()
    for (const [path, letter] of [
      ['a', 'X'],
      ['b', 'Y'],
    ] as const)
      writes.push({ id: path, path, blobOid: oid(letter), oldBlobOid: oid(letter) })
    const found = await findRenames(writes, compressedList<Delete>())
    expect([...found.renames]).toEqual([])
    expect([...found.writes]).toEqual([...writes])
  })

  test('pages whose path is gone go first, and to paths that are new', async () => {
    // "b" and "a" have the same content: the one that is gone is the sure one.
    expect(await left({ a: 'X', b: 'X' }, { b: 'Y', c: 'X' })).toMatchObject({ renames: ['a → c'], deletes: [] })
    expect(await left({ a: 'X', b: 'Y' }, { b: 'X', c: 'X' })).toMatchObject({ renames: ['a → c'], writes: ['b'] })
  })
})

test('any renames, applied in their order, never put two pages on one path and end where they should', async () => {
  const tree = fc.dictionary(fc.constantFrom(...'abcdefgh'), fc.constantFrom(...'UVWXYZ'))
  await fc.assert(
    fc.asyncProperty(tree, tree, async (before, after) => {
      const { writes, vanished } = differences(before, after)
      const found = await findRenames(writes, vanished)
      const { chains } = found
      const renames = [...found.renames]
      const paths = new Map(Object.keys(before).map((path) => [path, path]))
      for (let i = 0; i < renames.length; ) {
        const { cycle } = renames[i]!
        const step = renames.slice(i).findIndex((rename) => cycle === null || rename.cycle !== cycle)
        const together = renames.slice(i, cycle === null ? i + 1 : step < 0 ? renames.length : i + step)
        for (const { id, path, from, blobOid } of together) {
          expect(paths.get(id)).toBe(from)
          expect(oid(before[from]!)).toBe(blobOid)
          expect(oid(after[path]!)).toBe(blobOid)
          paths.set(id, path)
        }
        expect(new Set(paths.values()).size).toBe(paths.size)
        i += together.length
      }
      const left = renames.filter(({ from }) => !(from in after)).length
      expect(left).toBe(chains)
      expect(renames.filter(({ path }) => !(path in before)).length).toBe(chains)
    }),
    { numRuns: 3000 },
  )
})

test('more pages than are held at a time are paired all the same, each with its content and in their order', async () => {
  const [writes, removed] = [compressedList<Write>(), compressedList<Delete>()]
  const oidOf = (n: number) => (n * 7_919).toString(16).padStart(12, '0').padEnd(40, 'a')
  const count = 50_001
  for (let n = 0; n < count; n++) {
    removed.push({ id: `${n}`, path: `old/${n}`, blobOid: oidOf(n) })
    writes.push({ id: null, path: `new/${n}`, blobOid: oidOf(n), oldBlobOid: null })
  }
  const { renames, chains, ...rest } = await findRenames(writes, removed)
  expect(chains).toBe(count)
  expect([...renames].every(({ id, from, path }) => from === `old/${id}` && path === `new/${id}`)).toBe(true)
  expect([renames.length, rest.writes.length, rest.deletes.length]).toEqual([count, 0, 0])
})
