import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engines } from '@tidemark/test-engines'
import { isolatedGit } from '@tidemark/test-engines/git'
import { describe, expect, test } from 'vitest'
import { syncSource } from '../../src/index.ts'
import { commitTree, type RawEntry, writeObject, writeTree } from '../world/hostile-tree.ts'
import type { TestRepository } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'

const page = (name: string): RawEntry => ({ name })
const folder = (name: string, ...content: RawEntry[]): RawEntry => ({ name, content })
const NOWHERE = 'ab'.repeat(20)

type Tree = readonly RawEntry[] | ((repository: TestRepository) => Promise<string>)

/** A page so many folders deep. */
async function nested({ folder, git }: TestRepository, depth: number): Promise<string> {
  const path = `${'d/'.repeat(depth)}a.md`
  const commit = `commit refs/heads/nested\ncommitter a <a@b> 1 +0000\ndata 0\nM 100644 inline ${path}\ndata 1\na\n`
  await isolatedGit(folder, Buffer.from(commit)).raw('fast-import', '--quiet', '--force')
  return git.revparse('nested^{tree}')
}

/** Trees that no git would write: what is wrong, the tree, and what the error says of which path. */
const TREES: [fault: string, tree: Tree, error: string][] = [
  ['the same name twice', [page('a.md'), page('a.md')], '"a.md" is there twice'],
  ['the same name twice, with two contents', [page('a.md'), { name: 'a.md', content: 'b' }], '"a.md" is there twice'],
  ['the same name twice in a folder', [folder('d', page('a.md'), page('a.md'))], '"d/a.md" is there twice'],
  ['the same name twice, of no page', [page('a.md'), page('b.png'), page('b.png')], '"b.png" is there twice'],
  ['the same folder twice', [folder('d', page('a.md')), folder('d', page('b.md'))], '"d" is there twice'],
  [
    'a file and a folder of one name',
    [page('a.md'), page('a.md-b.md'), folder('a.md', page('c.md'))],
    '"a.md" is there twice',
  ],
  ['names that are not in their order', [page('b.md'), page('a.md')], '"a.md" is not in its place'],
  ['a folder that is not in its order', [folder('a', page('x.md')), page('a.md')], '"a.md" is not in its place'],
  ['a name with a slash', [page('d/a.md')], '"d/a.md" has a slash in its name'],
  [
    'a name with a slash beside the folder that it names',
    [folder('d', page('a.md')), page('d/b.md')],
    '"d/b.md" has a slash in its name',
  ],
  ['a name with a slash before it', [page('/etc/a.md')], '"/etc/a.md" has a slash in its name'],
  ['a name with a slash behind it', [page('a.md/')], '"a.md/" has a slash in its name'],
  ['a folder with a slash in its name', [folder('d/e', page('a.md'))], '"d/e" has a slash in its name'],
  ['a name with a slash, of no page', [page('a.md'), page('d/b.png')], '"d/b.png" has a slash in its name'],
  ['a folder above it', [folder('..', page('a.md'))], '".." has a name that no file can have'],
  ['a folder that is itself', [folder('d', folder('.', page('a.md')))], '"d/." has a name that no file can have'],
  ['a folder of git', [folder('.git', page('a.md'))], '".git" has a name that no file can have'],
  ['a folder of git in capitals', [folder('.GIT', page('a.md'))], '".GIT" has a name that no file can have'],
  ['a file without a name', [folder('d', page(''))], '"d/" has a name that no file can have'],
  ['a folder that is a file', [{ name: 'd.md', mode: '40000' }], '"d.md" of'],
  ['a folder that is missing', [{ name: 'd', mode: '40000', oid: NOWHERE }, page('z.md')], '"d" of'],
  ['a file that is a folder', [{ name: 'a.md', mode: '100644', content: [page('b.md')] }], '"a.md" of'],
  ['a file that is missing', [{ name: 'a.md', oid: NOWHERE }], '"a.md" of'],
  ['a named pipe', [{ name: 'a.md', mode: '10644' }], '"a.md" is of a type that no file has (10644)'],
  ['a device', [page('a.md'), { name: 'b.png', mode: '60000' }], '"b.png" is of a type that no file has (60000)'],
  ['a file without a type', [{ name: 'a.md', mode: '0' }], '"a.md" is of a type that no file has (0)'],
  ['a file of a nameless type', [{ name: 'a.md', mode: '' }], '"a.md" is of a type that no file has ()'],
  ['a tree that breaks off', (to) => writeTree(to, [page('a.md')], '100644 b.md\0short'), 'the root folder breaks off'],
  ['a tree that is noise', (to) => writeObject(to, 'tree', 'noise'), 'the root folder breaks off'],
  ['a file for its tree', (to) => writeObject(to, 'blob', 'text'), 'the root folder of'],
  ['folders in folders, 110 deep', (to) => nested(to, 110), 'is more than 100 folders deep'],
]

const write = (repository: TestRepository, tree: Tree) =>
  typeof tree === 'function' ? tree(repository) : writeTree(repository, tree)

describe.each(engines)('into %s, a commit with', (engine) => {
  test.each(TREES)('%s fails, names the path, and brings no page', { timeout: 120_000 }, async (_, tree, error) => {
    await using world = await testWorld({ engine })
    const { repository } = world
    const hostile = await write(repository, tree)
    await commitTree(repository, hostile)
    const failed = { status: 'failed', error: { code: 'GIT_FAILED', message: expect.stringContaining(error) } }
    expect(await world.sync()).toMatchObject({ ...failed, bookmark: null })
    expect(await world.pages()).toEqual({})

    // The same where only what has changed is compared.
    const good = await writeTree(repository, [folder('deep', folder('er', page('good.md'))), page('good.md')])
    const bookmark = await commitTree(repository, good)
    await world.sync()
    await commitTree(repository, hostile)
    expect(await world.sync({ allowMassDelete: true })).toMatchObject({ ...failed, bookmark })
    expect(Object.keys(await world.pages()).filter((path) => !path.endsWith('good.md'))).toEqual([])
  })

  test('a name with a slash fails in the folder that has changed, and in no other', async () => {
    await using world = await testWorld({ engine })
    const { repository } = world
    const good = folder('a', folder('deep', page('x.md')), page('x.md'))
    await commitTree(repository, await writeTree(repository, [good, folder('b', page('y.md'))]))
    expect(await world.sync()).toMatchObject({ status: 'first_sync' })
    await commitTree(repository, await writeTree(repository, [good, folder('b', page('y.md'), page('z/z.md'))]))
    expect(await world.sync()).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('"b/z/z.md" has a slash in its name') },
    })
  })

  test('what git wrote long ago is mirrored: folders of a longer mode, files that their group may write', async () => {
    await using world = await testWorld({ engine })
    const entries = [
      { ...folder('d', { name: 'a.md', mode: '100664' }), mode: '040000' },
      { name: 'e.md', mode: '100600' },
    ]
    await commitTree(world.repository, await writeTree(world.repository, entries))
    expect(await world.sync()).toMatchObject({ status: 'first_sync', filesImported: 2 })
  })

  test('a name with a slash fails from a server too', async () => {
    await using world = await testWorld({ engine })
    const { repository, db } = world
    await commitTree(repository, await writeTree(repository, [folder('d', page('a.md')), page('d/b.md')]))
    const clones = mkdtempSync(join(tmpdir(), 'tidemark-clones-'))
    const source = { id: 'docs', repo: `file://${repository.folder}`, ref: 'main' }
    const result = await syncSource(db, source, { clones })
    rmSync(clones, { recursive: true })
    const message = expect.stringContaining('"d/b.md" has a slash in its name')
    expect(result).toMatchObject({ status: 'failed', error: { code: 'GIT_FAILED', message } })
    expect(await world.pages()).toEqual({})
  })
})
