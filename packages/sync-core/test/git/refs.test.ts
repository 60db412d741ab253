import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localOrigin } from '../../src/git/origin.ts'
import { remoteOrigin } from '../../src/git/remote.ts'
import { emptyRepository } from '../world/test-repository.ts'

const repository = await emptyRepository()
const clones = mkdtempSync(join(tmpdir(), 'tidemark-refs-'))
const { signal } = new AbortController()

const kinds = {
  'a repository on this machine': (ref: string) => localOrigin(repository.folder, ref),
  'a repository on a server': (ref: string) => remoteOrigin(`file://${repository.folder}`, ref, join(clones, 'c.git')),
}

/** Tags of what is no commit, each with what it is said to be. */
const OTHER_OBJECTS = {
  blob: 'a single file (a blob)',
  'annotated-blob': 'a single file (a blob)',
  tree: 'a folder without a commit (a tree)',
  'annotated-tree': 'a folder without a commit (a tree)',
}

beforeAll(async () => {
  const { git } = repository
  const first = await repository.commit({ 'a.md': 'a', 'docs/b.md': 'b' })
  await git.addTag('plain')
  await git.addAnnotatedTag('annotated', 'm')
  await git.raw('tag', '-a', '-m', 'm', 'twice', 'annotated')
  await git.branch(['both'])
  await git.branch(['feature/one'])
  const second = await repository.commit({ 'a.md': 'a2', 'docs/b.md': 'b' })
  await git.addTag('both')
  // Each of them is a name that could be short for another.
  for (const name of ['refs/heads/odd', 'refs/heads/tags/plain', 'refs/remotes/origin/main'])
    await git.raw('update-ref', name, second)
  for (const name of ['refs/tags/heads/odd', 'refs/tags/origin/main', 'refs/notes/x'])
    await git.raw('update-ref', name, first)
  await repository.commit({ 'a.md': 'a3', 'docs/b.md': 'b' })
  for (const [name, object] of [
    ['blob', 'HEAD:a.md'],
    ['tree', 'HEAD^{tree}'],
  ] as const) {
    await git.raw('tag', name, object)
    await git.raw('tag', '-a', '-m', 'm', `annotated-${name}`, object)
  }
})
afterAll(() => {
  repository.remove()
  rmSync(clones, { recursive: true })
})

const REFS = ['main', 'heads/main', 'refs/heads/main', 'HEAD', '@', 'plain', 'tags/plain', 'refs/tags/plain']
  .concat(['annotated', 'tags/annotated', 'refs/tags/annotated', 'twice', 'both', 'heads/both', 'tags/both'])
  .concat(['feature/one', 'heads/feature/one', 'odd', 'heads/odd', 'tags/heads/odd', 'heads/tags/plain', 'notes/x'])
  .concat(['origin/main', 'remotes/origin/main'])

describe.each(Object.entries(kinds))('%s', (_, origin) => {
  test.each(REFS)('has under the name of %s the commit that git has', async (ref) => {
    const commit = await repository.git.revparse(['--verify', `${ref}^{commit}`])
    expect(await origin(ref).resolveCommit(signal)).toBe(commit)
    expect(await origin(ref).prepare(signal)).toMatchObject({ commit })
  })

  test('takes the id of a commit in capitals', async () => {
    const commit = await repository.git.revparse(['HEAD'])
    expect(await origin(commit.toUpperCase()).prepare(signal)).toMatchObject({ commit })
  })

  test.each(Object.entries(OTHER_OBJECTS))(
    'says of the tag %s that it is of %s, and what to name',
    async (ref, what) => {
      await expect(origin(ref).prepare(signal)).rejects.toMatchObject({
        code: 'BAD_REF',
        message: expect.stringMatching(
          new RegExp(`^"${ref}" of .* is the name of ${what.replace(/[()]/g, '.')}, not of a`),
        ),
        hint: expect.stringMatching(/^Name a branch, .*: tidemark sources set <id> --ref HEAD$/),
      })
    },
  )

  test.each(['v9', 'heads/plain', 'tags/main', 'one', 'eads/main', 'refs/main'])(
    'has nothing under the name of %s, as git has it',
    async (ref) => {
      await expect(repository.git.revparse(['--verify', ref])).rejects.toThrow()
      await expect(origin(ref).prepare(signal)).rejects.toMatchObject({ code: 'REF_NOT_FOUND' })
    },
  )

  test('that has no commit of that id says so', async () => {
    await expect(origin('1'.repeat(40)).prepare(signal)).rejects.toMatchObject({ code: 'REF_NOT_FOUND' })
  })
})
