import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engines } from '@tidemark/test-engines'
import { isolatedGit } from '@tidemark/test-engines/git'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { syncSource } from '../../src/index.ts'
import { emptyRepository } from '../world/test-repository.ts'
import { testWorld } from '../world/test-world.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-hook-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

/** What a hook finds in its environment, as a push to a repository shows it. */
async function environmentOf(hook: 'pre-receive' | 'update'): Promise<Record<string, string>> {
  const pushed = await emptyRepository()
  await pushed.commit({ 'pushed.md': 'pushed' })
  const bare = join(home, 'pushed.git')
  await isolatedGit(home).init(['--bare', bare])
  writeFileSync(join(bare, 'hooks', hook), `#!/bin/sh\nenv -0 > '${join(home, 'env')}'\n`, { mode: 0o755 })
  await pushed.git.push(bare, 'main')
  pushed.remove()
  const lines = execFileSync('cat', [join(home, 'env')], { encoding: 'utf8' }).split('\0')
  return Object.fromEntries(lines.filter((line) => line.startsWith('GIT_')).map((line) => line.split(/=(.*)/s)))
}

describe.each(engines)('into %s, a sync that a hook starts', (engine) => {
  test.each(['pre-receive', 'update'] as const)('from %s mirrors the repository that it is told', async (hook) => {
    await using world = await testWorld({ engine })
    const commit = await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    const environment = await environmentOf(hook)
    expect(environment).toHaveProperty('GIT_DIR')
    // What was pushed is in quarantine until that hook agrees.
    expect('GIT_QUARANTINE_PATH' in environment).toBe(hook === 'pre-receive')
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)

    const clones = join(home, 'clones')
    const local = { id: 'docs', repo: world.repository.folder, ref: 'main' }
    expect(await syncSource(world.db, local)).toMatchObject({ status: 'first_sync', bookmark: commit })
    const remote = { ...local, repo: `file://${world.repository.folder}` }
    expect(await syncSource(world.db, remote, { clones })).toMatchObject({ status: 'synced', bookmark: commit })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('is led to no other repository by what a hook or a shell may have set', async () => {
    await using world = await testWorld({ engine })
    const other = await emptyRepository()
    await other.commit({ 'other.md': 'other' })
    const commit = await world.repository.commit({ 'a.md': 'a' })
    const git = join(other.folder, '.git')
    const environment = {
      GIT_DIR: git,
      GIT_WORK_TREE: other.folder,
      GIT_COMMON_DIR: git,
      GIT_INDEX_FILE: join(git, 'index'),
      GIT_OBJECT_DIRECTORY: join(git, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: join(git, 'objects'),
      GIT_QUARANTINE_PATH: join(git, 'objects'),
      GIT_SHALLOW_FILE: join(git, 'no-such-file'),
      GIT_NAMESPACE: 'other',
      GIT_PREFIX: 'other/',
      GIT_CONFIG: join(git, 'config'),
      GIT_DEFAULT_HASH: 'sha256',
    }
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const before = readdirSync(git, { recursive: true }).sort()
    for (const repo of [world.repository.folder, `file://${world.repository.folder}`]) {
      const source = { id: 'docs', repo, ref: 'main' }
      expect(await syncSource(world.db, source, { clones: join(home, 'clones') })).toMatchObject({ bookmark: commit })
      vi.unstubAllEnvs()
      expect(await world.pages()).toEqual(await world.repository.tree())
      for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    }
    expect(readdirSync(git, { recursive: true }).sort()).toEqual(before)
    other.remove()
  })
})
