import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { syncSource } from '../../src/index.ts'
import { emptyRepository } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'

const files = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}.md`, `page ${i}`]))

/** All that is in a folder, and when each was last changed. */
function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    const { size, mtimeMs, ctimeMs } = statSync(path)
    return `${path} ${size} ${mtimeMs} ${ctimeMs}`
  })
}

describe.each(engines)('a repository on this machine, into %s,', (engine) => {
  test.each(['work tree', 'bare repository', 'linked worktree'])('may be a %s, and is not written to', async (kind) => {
    await using world = await testWorld({ engine })
    const home = mkdtempSync(join(tmpdir(), 'tidemark-local-'))
    const repo = kind === 'work tree' ? world.repository.folder : join(home, 'repo')
    await world.repository.commit(files(3))
    if (kind === 'bare repository') await world.repository.git.clone('.', repo, ['--bare'])
    if (kind === 'linked worktree') await world.repository.git.raw('worktree', 'add', '--detach', repo)
    const source = { id: 'docs', repo, ref: 'HEAD' }
    const folders = [world.repository.folder, home]
    const before = folders.map(everythingIn)
    expect(await syncSource(world.db, source)).toMatchObject({ status: 'first_sync', filesImported: 3 })
    expect(await syncSource(world.db, source, { full: true })).toMatchObject({ status: 'synced' })
    expect(await syncSource(world.db, source)).toMatchObject({ status: 'up_to_date' })
    expect(await world.pages()).toEqual(await world.repository.tree())
    expect(folders.map(everythingIn)).toEqual(before)
    rmSync(home, { recursive: true })
  })

  test('that is a partial clone is told to lack files, and does not fetch them', async () => {
    await using world = await testWorld({ engine })
    await world.repository.git.addConfig('uploadpack.allowFilter', 'true')
    await world.repository.commit(files(3))
    const home = mkdtempSync(join(tmpdir(), 'tidemark-local-'))
    const partial = ['--bare', '--filter=blob:none']
    await world.repository.git.clone(`file://${world.repository.folder}`, join(home, 'repo'), partial)
    const before = everythingIn(home)
    const result = await syncSource(world.db, { id: 'docs', repo: join(home, 'repo'), ref: 'main' })
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'GIT_FAILED', message: expect.stringContaining('a partial clone that lacks files') },
    })
    expect(everythingIn(home)).toEqual(before)
    rmSync(home, { recursive: true })
  })

  test('that has no commits yet, or whose branch was deleted, fails and says so; what is stored stays', async () => {
    await using world = await testWorld({ engine })
    expect(await world.sync({ ref: 'HEAD' })).toMatchObject({
      status: 'failed',
      error: { code: 'REF_NOT_FOUND', hint: 'It has no commits yet.' },
    })
    const bookmark = await world.repository.commit(files(3))
    await world.repository.git.branch(['feature/one'])
    await world.sync({ ref: 'feature/one' })
    await world.repository.git.deleteLocalBranch('feature/one', true)
    await world.repository.git.branch(['feature/two'])
    expect(await world.sync({ ref: 'feature/one' })).toMatchObject({
      status: 'failed',
      bookmark,
      error: { code: 'REF_NOT_FOUND', hint: 'tidemark sources set docs --ref feature/two' },
    })
    expect(Object.keys(await world.pages())).toHaveLength(3)
    expect(await world.sync({ ref: 'feature/two' })).toMatchObject({ status: 'synced', blobsRead: 0 })
  })

  test('may be another one from now on, and only what differs is read', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(files(5))
    await world.sync()
    const other = await emptyRepository()
    await other.commit({ ...files(4), 'p2.md': 'other', 'new.md': 'page 4' })
    const source = { id: 'docs', repo: other.folder, ref: 'main' }
    expect(await syncSource(world.db, source)).toMatchObject({
      ...{ status: 'synced', filesUpdated: 1, filesRenamed: 1, blobsRead: 2 },
    })
    expect(await world.pages()).toEqual(await other.tree())
    other.remove()
  })

  test('with nothing new costs one statement', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(files(3))
    await world.sync()
    const asked: string[] = []
    const watched: typeof world.db = {
      ...world.db,
      query(text, params, signal) {
        asked.push(text)
        return world.db.query(text, params, signal)
      },
    }
    const source = { id: 'docs', repo: world.repository.folder, ref: 'main' }
    expect(await syncSource(watched, source)).toMatchObject({ status: 'up_to_date', filesRemaining: 0 })
    expect(asked).toHaveLength(1)
  })

  test('says what it has that is no file of it: symlinks, submodules, pointers of Git LFS', async () => {
    await using world = await testWorld({ engine })
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`
    const commit = await world.repository.commit({ 'a.md': 'a', 'large.md': pointer })
    await world.repository.git.raw('update-index', '--add', '--cacheinfo', `160000,${commit},module`)
    const blob = (await world.repository.tree())['a.md']!
    await world.repository.git.raw('update-index', '--add', '--cacheinfo', `120000,${blob},link.md`)
    await world.repository.commitStaged()
    const result = await world.sync()
    expect(result).toMatchObject({ status: 'first_sync', filesImported: 1, filesQuarantined: 1 })
    expect(result.warnings).toMatchObject([
      { code: 'skipped', message: expect.stringContaining('1 symlinks to Markdown, 1 submodules') },
    ])
    const { rows } = await world.db.query('SELECT path, code FROM tidemark.quarantine')
    expect(rows).toEqual([{ path: 'large.md', code: 'lfs_pointer' }])
  })
})
