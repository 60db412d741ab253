import { describe, expect, test } from 'vitest'
import type { Page } from '../../src/parse/page.ts'
import { createBatch } from '../../src/sync/batch.ts'

const page = (more: Partial<Page> = {}) => ({ content: '', chunks: [], links: [], ...more }) as unknown as Page
const file = (path: string, id: string | null = null) => ({ path, blobOid: `of ${path}`, id, oldBlobOid: null })
const rename = (path: string, cycle: number | null) => ({ ...file(path, `id of ${path}`), from: 'old.md', cycle })

/** A batch of pages that are named by one letter each; a digit before it is the cycle of renames that it belongs to. */
function batchOf(pages: string) {
  const batch = createBatch()
  for (const [, cycle, path = ''] of pages.matchAll(/(\d?)([a-z])/g))
    batch.add(cycle ? rename(path, Number(cycle)) : file(path), 1, page())
  return batch
}

const paths = (batch: ReturnType<typeof createBatch>) => batch.pages.map(({ path }) => path).join('')

describe('a batch', () => {
  test('counts a page as new, changed or renamed, and each file that it settles', () => {
    const batch = createBatch(['gone.md'])
    expect(batch).toMatchObject({ size: 0, isEmpty: false, quarantineCleared: ['gone.md'] })
    batch.add(file('new.md'), 5, page())
    batch.add(file('changed.md', '1'), 6, page())
    batch.add(file('changed-too.md', '2'), 6, page())
    batch.add(rename('renamed.md', null), 7, page())
    batch.quarantine({ path: 'bad.md', blobOid: 'b', code: 'nul', message: 'm' }, null)
    batch.delete('8')
    expect(batch).toMatchObject({ size: 5, isEmpty: false })
    expect(batch.counts).toEqual({
      filesImported: 1,
      filesUpdated: 2,
      filesRenamed: 1,
      filesDeleted: 1,
      filesQuarantined: 1,
    })
    expect(batch.pages[0]).toEqual({ id: null, path: 'new.md', blobOid: 'of new.md', sizeBytes: 5, page: page() })
  })

  test('is empty only where it has nothing to write', () => {
    expect(createBatch().isEmpty).toBe(true)
    expect(batchOf('a').isEmpty).toBe(false)
    const [quarantining, deleting] = [createBatch(), createBatch()]
    quarantining.quarantine({ path: 'bad.md', blobOid: 'b', code: 'nul', message: 'm' }, null)
    deleting.delete('1')
    expect([quarantining.isEmpty, deleting.isEmpty]).toEqual([false, false])
  })

  test('that sets a file aside removes the page of it, which is no deletion of a file', () => {
    const batch = createBatch()
    batch.quarantine({ path: 'bad.md', blobOid: 'b', code: 'nul', message: 'm' }, '7')
    expect(batch).toMatchObject({ deletedIds: ['7'], counts: { filesDeleted: 0, filesQuarantined: 1 } })
  })

  test('weighs what a statement carries of its pages: texts, chunks with their headings, both ends of links', () => {
    const batch = createBatch()
    const chunk = { content: '12', headingPath: ['123', '1234'] }
    batch.add(file('a'), 99, page({ content: '1', chunks: [chunk, chunk] }))
    expect(batch.bytes).toBe(1 + 2 * (2 + 3 + 4))
    batch.add(file('b'), 99, page({ links: [{ kind: 'link', target: '12345' }] }))
    expect(batch.bytes).toBe(19 + 2 * 5)
  })
})

describe('a batch that is refused gives away', () => {
  test.each([
    ['abcd', 'ab', 'cd'],
    ['abc', 'ab', 'c'],
    ['ab', 'a', 'b'],
    ['a1b1c1d', 'a', 'bcd'],
    ['1a1b1cd', 'abc', 'd'],
    ['1a1b2c2d', 'ab', 'cd'],
    ['ab1c1def', 'abcd', 'ef'],
    ['a0b0c', 'a', 'bc'],
  ])('half of %s, and cuts no cycle: %s and %s', (all, kept, given) => {
    const batch = batchOf(all)
    const half = batch.halve()
    expect(paths(batch)).toBe(kept)
    expect(paths(createBatch([], half!))).toBe(given)
  })

  test.each(['', 'a', '1a1b', '0a0b0c'])('nothing where it cannot be parted: %j', (all) => {
    const batch = batchOf(all)
    expect(batch.halve()).toBeNull()
    expect(paths(batch)).toBe(all.replace(/\d/g, ''))
  })

  test('or sets all of its pages aside, with the reason and without those that are stored', () => {
    const batch = batchOf('a1b')
    batch.refuse('refused', 'because')
    expect(batch).toMatchObject({ pages: [], deletedIds: ['id of b'] })
    const [code, message] = ['refused', 'because']
    expect(batch.quarantined).toEqual([
      { path: 'a', blobOid: 'of a', code, message },
      { path: 'b', blobOid: 'of b', code, message },
    ])
    expect(batch.counts).toMatchObject({ filesImported: 0, filesRenamed: 0, filesQuarantined: 2 })
  })
})
