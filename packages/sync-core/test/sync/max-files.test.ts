import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import type { SyncResult } from '../../src/index.ts'
import { commitTree, type RawEntry, writeTree } from '../world/hostile-tree.ts'
import type { TestRepository } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'

/** A folder of ten, each of ten, and so on, which end in the same folder: some hundred bytes a level. */
async function bomb(repository: TestRepository, levels: number, end: readonly RawEntry[]): Promise<string> {
  let oid = await writeTree(repository, end)
  for (let level = 0; level < levels; level++) {
    const folders = Array.from({ length: 10 }, (_, i) => ({ name: `d${i}`, mode: '40000', oid }))
    oid = await writeTree(repository, folders)
  }
  return oid
}

const files = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}.md`, `page ${i}`]))

/** What a result says of a source with too many files. */
const blocked = (message: string) => ({
  status: 'blocked',
  reason: 'too_many_files',
  warnings: [{ code: 'too_many_files', message: expect.stringContaining(message) }],
})

describe.each(engines)('into %s, a source', (engine) => {
  test.each([
    ['10,000,000 pages', 7, [{ name: 'a.md' }], 'has 10000000 files, and the source may have 1000000 (maxFiles)'],
    ['10,000,000 files that are no pages', 7, [{ name: 'a.png' }], 'has 10000000 files'],
    ['1,000,000,000,000,000 pages', 15, [{ name: 'a.md' }], 'has 1000000000000000 files'],
    ['folders without a file in them', 15, [], 'has 1111111111111110 folders'],
  ])('is blocked by a few kilobytes that stand for %s, in little memory', async (_, levels, end, message) => {
    await using world = await testWorld({ engine })
    const tree = await bomb(world.repository, levels, end)
    const commit = await commitTree(world.repository, tree)
    const before = process.memoryUsage().rss
    expect(await world.sync()).toMatchObject({ ...blocked(message), bookmark: null, target: commit })
    expect(await world.sync({ dryRun: true })).toMatchObject(blocked(message))
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
    expect(await world.pages()).toEqual({})
  })

  test('that was good before such a commit stays as it was, and goes on after it', async () => {
    await using world = await testWorld({ engine })
    const { repository } = world
    const bookmark = await repository.commit(files(3))
    await world.sync()
    const pages = await world.pages()
    await commitTree(repository, await bomb(repository, 7, [{ name: 'a.md' }]))
    expect(await world.sync()).toMatchObject({ ...blocked('has 10000000 files'), bookmark })
    expect(await world.pages()).toEqual(pages)
    await repository.git.raw('update-ref', 'refs/heads/main', bookmark)
    expect(await world.sync()).toMatchObject({ status: 'synced', bookmark, blobsRead: 0 })
  })

  test('of one folder is not held up by what lies in others', { timeout: 20_000 }, async () => {
    await using world = await testWorld({ engine })
    const { repository } = world
    const oid = await bomb(repository, 12, [{ name: 'a.md' }])
    const around = (docs: readonly RawEntry[]): RawEntry[] => [
      { name: 'a', mode: '40000', oid },
      { name: 'docs', content: docs },
      { name: 'z', mode: '40000', oid },
    ]
    await commitTree(repository, await writeTree(repository, around([{ name: 'a.md' }, { name: 'b.md' }])))
    expect(await world.sync({ subpath: 'docs', maxFiles: 2 })).toMatchObject({ status: 'first_sync', filesImported: 2 })
    await commitTree(repository, await writeTree(repository, around([{ name: 'a.md' }])))
    expect(await world.sync({ subpath: 'docs', maxFiles: 2 })).toMatchObject({ status: 'synced', filesDeleted: 1 })
    expect(await world.sync({ subpath: 'doc', allowMassDelete: true })).toMatchObject({
      status: 'synced',
      warnings: [{ code: 'nothing_selected', message: expect.stringContaining('files is selected') }],
    })
  })

  test('may have as many files as it says, pages or not, and no more', async () => {
    await using world = await testWorld({ engine })
    const sync = (maxFiles: number): Promise<SyncResult> => world.sync({ maxFiles })
    await world.repository.commit({ ...files(3), 'image.png': 'i' })
    expect(await sync(3)).toMatchObject(blocked('has 4 files, and the source may have 3 (maxFiles)'))
    expect(await sync(4)).toMatchObject({ status: 'first_sync', filesImported: 3 })
    await world.repository.commit({ ...files(3), 'renamed.png': 'i', 'p0.md': 'changed' })
    expect(await sync(4)).toMatchObject({ status: 'synced', filesUpdated: 1 })
    await world.repository.commit({ ...files(3), 'renamed.png': 'i', 'one more.png': 'i' })
    expect(await sync(4)).toMatchObject(blocked('has 5 files'))
    await world.repository.commit({ ...files(4), 'renamed.png': 'i' })
    expect(await sync(4)).toMatchObject(blocked('has 5 files'))
    expect(await sync(5)).toMatchObject({ status: 'synced', filesImported: 1 })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test.each([0, -1, 1.5, Number.NaN])('that may have %s files is refused', async (maxFiles) => {
    await using world = await testWorld({ engine })
    await expect(world.sync({ maxFiles })).rejects.toMatchObject({ code: 'BAD_SOURCE' })
  })
})
