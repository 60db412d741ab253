import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { localOrigin } from '../../src/git/origin.ts'
import { remoteOrigin } from '../../src/git/remote.ts'
import { emptyRepository } from '../world/test-repository.ts'

const repository = await emptyRepository()
const commit = await repository.commit({ 'a.md': 'a', 'docs/guide/b.md': 'b' })
const { signal } = new AbortController()
const resolve = (folder: string) => localOrigin(folder, 'main').resolveCommit(signal)
let home: string

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'tidemark-folder-')))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})
afterAll(() => repository.remove())

/** A symlink to a path. */
function linkTo(path: string): string {
  const link = join(home, 'link')
  symlinkSync(path, link)
  return link
}

describe('the path of a repository on this machine', () => {
  test('may be a symlink to it, or lead through one', async () => {
    expect(await resolve(linkTo(repository.folder))).toBe(commit)
    expect(await resolve(join(home, 'link', '.git'))).toBe(commit)
  })

  test.each(['as it is', 'by a symlink to it', 'through a symlink to the repository'])(
    'that names a folder inside it, %s, is refused, and the repository and the subpath are named',
    async (way) => {
      const inner = join(repository.folder, 'docs/guide')
      const folder =
        way === 'as it is'
          ? inner
          : way === 'by a symlink to it'
            ? linkTo(inner)
            : join(linkTo(repository.folder), 'docs/guide')
      await expect(resolve(folder)).rejects.toMatchObject({
        code: 'NOT_A_REPOSITORY',
        message: `${folder} is not a git repository`,
        hint: `It lies inside ${realpathSync(repository.folder)}: tidemark sources set <id> --path ${realpathSync(repository.folder)} --subpath docs/guide`,
      })
    },
  )

  test('that names no repository and lies in none is refused', async () => {
    const hint = expect.stringMatching(
      /^Give the path of a work tree or .*: tidemark sources set <id> --path <folder>$/,
    )
    await expect(resolve(home)).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY', hint })
    await expect(resolve(join(home, 'nowhere'))).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY', hint })
  })
})

// Only root can give a file away.
const mayGiveAway = process.getuid?.() === 0
if (!mayGiveAway) console.warn('!!! SKIPPED: the tests of repositories of another user. Run them as root.')

describe.skipIf(!mayGiveAway)('a repository of another user', () => {
  test.each(['repo', 'with a space', "with 'quotes' & $more"])(
    'in a folder %s is refused with a command that, pasted into a shell, allows it',
    async (name) => {
      vi.stubEnv('GIT_CONFIG_GLOBAL', join(home, 'gitconfig'))
      const folder = join(home, name)
      mkdirSync(folder)
      await repository.git.clone('.', folder)
      execFileSync('chown', ['-R', '1', folder])
      const link = linkTo(folder)
      const origins = [folder, link].flatMap((path) => [
        localOrigin(path, 'main'),
        remoteOrigin(`file://${path}`, 'main', join(home, 'clone.git')),
      ])
      for (const origin of origins) {
        writeFileSync(join(home, 'gitconfig'), '')
        const error = await origin.resolveCommit(signal).catch((thrown) => thrown)
        expect(error).toMatchObject({
          code: 'GIT_FAILED',
          message: expect.stringContaining('belongs to another user, and git refuses to read it'),
          hint: expect.stringMatching(/^Allow it with: git config --global --add safe\.directory /),
        })
        execFileSync('sh', ['-c', error.hint.replace('Allow it with: ', '')])
        expect(await origin.resolveCommit(signal)).toBe(commit)
      }
    },
  )
})
