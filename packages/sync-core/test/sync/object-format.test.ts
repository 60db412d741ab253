import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engines } from '@tidemark/test-engines'
import { isolatedGit } from '@tidemark/test-engines/git'
import { serveGit } from '@tidemark/test-engines/git-server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { syncSource } from '../../src/index.ts'
import { emptyRepository } from '../world/test-repository.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const FILES = { 'a.md': '# A\n\n[b](b.md)', 'b.md': '# B', 'c.md': '# C' }

let clones: string
beforeEach(() => {
  clones = mkdtempSync(join(tmpdir(), 'tidemark-format-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(clones, { recursive: true })
})

const sync = (world: TestWorld, repo: string, ref = 'main') =>
  syncSource(world.db, { id: 'docs', repo, ref }, { clones, allowMassDelete: true })
const headOf = (world: TestWorld) => world.repository.git.revparse(['HEAD'])

/** Every object id that the database has. */
async function storedIds(world: TestWorld): Promise<string[]> {
  const { rows } = await world.db.query(`
    SELECT unnest(ARRAY[bookmark, target]) AS id FROM tidemark.sources
    UNION ALL SELECT blob_oid FROM tidemark.pages UNION ALL SELECT blob_oid FROM tidemark.quarantine
    UNION ALL SELECT to_commit FROM tidemark.runs`)
  return rows.map(({ id }) => id)
}

describe.each(engines)('into %s, a repository whose objects are named by SHA-256', (engine) => {
  test.each(['here', 'behind http', 'behind file'])('that is %s is mirrored, with whole ids', async (where) => {
    await using world = await testWorld({ engine, repository: await emptyRepository('sha256') })
    const { repository } = world
    const server = await serveGit(repository.folder)
    const repo =
      { here: repository.folder, 'behind http': `${server.url}/.git` }[where] ?? `file://${repository.folder}`
    await repository.git.addConfig('uploadpack.allowFilter', 'true')
    await repository.commit({ ...FILES, 'bad.md': Buffer.from([0xff, 0xfe]) })
    await repository.git.addAnnotatedTag('v1', 'm')

    const bookmark = await headOf(world)
    expect(await sync(world, repo)).toMatchObject({
      status: 'first_sync',
      bookmark,
      filesImported: 3,
      filesQuarantined: 1,
    })
    const { 'bad.md': _, ...tree } = await repository.tree()
    expect(await world.pages()).toEqual(tree)
    expect((await storedIds(world)).filter((id) => !/^[0-9a-f]{64}$/.test(id))).toEqual([])
    expect(await sync(world, repo)).toMatchObject({ status: 'up_to_date' })

    await repository.commit({ 'a.md': '# A', 'd.md': '# B', 'c.md': '# C' })
    const counts = { filesUpdated: 1, filesRenamed: 1, blobsRead: 2 }
    expect(await sync(world, repo)).toMatchObject({ status: 'synced', ...counts })
    expect(await sync(world, repo, 'v1')).toMatchObject({ status: 'synced', bookmark })
    expect(await sync(world, repo, await headOf(world))).toMatchObject({ status: 'synced' })
    expect(await world.pages()).toEqual(await repository.tree())
    await server.close()
  })

  test.each(['http', 'file'])(
    'may take the place of another behind %s, or give it up, also where the clone of the other is still there',
    async (way) => {
      await using world = await testWorld({ engine })
      const other = await emptyRepository('sha256')
      await world.repository.commit(FILES)
      await other.commit(FILES)
      for (const repository of [world.repository, other, world.repository]) {
        const server = await serveGit(repository.folder)
        const result = await sync(world, way === 'http' ? `${server.url}/.git` : `file://${repository.folder}`)
        await server.close()
        expect(result).toMatchObject({ bookmark: await repository.git.revparse(['HEAD']), filesRemaining: 0 })
        expect(await world.pages()).toEqual(await repository.tree())
      }
      other.remove()
    },
  )
})

describe.each(engines)('into %s, a repository whose objects are named by SHA-1', (engine) => {
  test('is mirrored where new repositories are made with SHA-256, also over a clone that was', async () => {
    await using world = await testWorld({ engine })
    const config = join(clones, 'gitconfig')
    writeFileSync(config, '[init]\n\tdefaultObjectFormat = sha256\n')
    vi.stubEnv('GIT_CONFIG_GLOBAL', config)
    vi.stubEnv('GIT_DEFAULT_HASH', 'sha256')
    const clone = join(clones, 'docs.git')
    await isolatedGit(clones).init(['--bare', '--object-format=sha256', clone])
    await world.repository.commit(FILES)
    const repo = `file://${world.repository.folder}`
    expect(await sync(world, repo)).toMatchObject({ status: 'first_sync', bookmark: await headOf(world) })
    await world.repository.commit({ ...FILES, 'a.md': 'new' })
    expect(await sync(world, repo)).toMatchObject({ status: 'synced', filesUpdated: 1 })
    expect(await sync(world, world.repository.folder)).toMatchObject({ status: 'synced', blobsRead: 0 })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })
})
