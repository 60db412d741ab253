import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitAll, isolatedGit } from '@tidemark/test-engines/git'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { repositoryName } from '../../release/repository.ts'
import { PACKAGE, ROOT } from '../world/runner.ts'

/** A clone of a bare repository, and a folder in which an Action is staged. */
async function releaseWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-tag-'))
  const [remote, clone, staged] = ['remote.git', 'clone', 'staged'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await isolatedGit(folder).init(['--bare', remote])
  const git = isolatedGit(folder)
  await git.clone(remote, clone)
  const source = await commitAll(isolatedGit(clone))
  const head = await isolatedGit(clone).revparse(source)
  const workflow = readFileSync(join(ROOT, '.github/workflows/sync.yml'), 'utf8')
  const bare = isolatedGit(remote)
  return {
    remote: bare,
    /** What is released, by its content. */
    stage(content: string, { sync = workflow, mode = 0o644 } = {}) {
      rmSync(staged, { recursive: true, force: true })
      mkdirSync(join(staged, 'dist'), { recursive: true })
      mkdirSync(join(staged, '.github/workflows'), { recursive: true })
      writeFileSync(join(staged, 'dist/sync.js'), content, { mode })
      writeFileSync(join(staged, '.gitignore'), 'dist\n')
      writeFileSync(join(staged, '.github/workflows/sync.yml'), sync)
      writeFileSync(join(staged, 'SOURCE'), `${head}\n`)
    },
    tag: (version: string) =>
      execa('node', [join(PACKAGE, 'release/tag.ts'), staged, version], { cwd: clone, reject: false, all: true }),
    async tags() {
      const lines = await bare.raw('for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/tags')
      return Object.fromEntries(lines.split('\n').map((line) => line.split(' ')))
    },
    parents: async (commit: string) => (await bare.raw('rev-list', '--parents', '-1', commit)).split(' ').slice(1),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

describe('tagging a release', () => {
  test('keeps each version where it is, moves the major tag, and makes each release a child of the last', async () => {
    using world = await releaseWorld()
    for (const version of ['1.0.0', '1.9.0', '1.10.0']) {
      world.stage(version)
      expect(await world.tag(version)).toMatchObject({ exitCode: 0 })
    }
    const tags = await world.tags()
    expect(Object.keys(tags)).toEqual(['v1', 'v1.0.0', 'v1.10.0', 'v1.9.0'])
    expect(tags.v1).toBe(tags['v1.10.0'])
    const history = (await world.remote.raw('rev-list', 'v1')).split('\n')
    expect(history).toHaveLength(6)
    expect(history.filter((_, i) => i % 2 === 0)).toEqual([tags['v1.10.0'], tags['v1.9.0'], tags['v1.0.0']])
    expect(await world.remote.raw('show', 'v1.0.0:dist/sync.js')).toBe('1.0.0')
  })

  test('has the workflow name every action of ours by the commit that holds it, which is the parent', async () => {
    using world = await releaseWorld()
    world.stage('x')
    await world.tag('1.2.3')
    const workflow = await world.remote.raw('show', 'v1.2.3:.github/workflows/sync.yml')
    const uses = [...workflow.matchAll(/uses: (\S+?)@(\S+)(.*)/g)].filter(([, used]) =>
      used!.startsWith(repositoryName()),
    )
    const [actions] = await world.parents('v1.2.3')
    expect(uses.length).toBeGreaterThan(3)
    for (const [, , commit, comment] of uses) expect([commit, comment]).toEqual([actions, ' # v1.2.3'])
    const changed = await world.remote.raw('diff-tree', '-r', '--name-only', actions!, 'v1.2.3')
    expect(changed).toBe('.github/workflows/sync.yml')
    expect(workflow.replaceAll(`@${actions} # v1.2.3`, '@v1')).toBe(
      readFileSync(join(ROOT, '.github/workflows/sync.yml'), 'utf8').trim(),
    )
  })

  test('may be run again, on another machine and after a push that came half way', async () => {
    using world = await releaseWorld()
    world.stage('one')
    await world.tag('1.0.0')
    const first = await world.tags()
    world.stage('three')
    await world.tag('1.1.0')
    const second = await world.tags()

    world.stage('three', { mode: 0o755 })
    const again = await world.tag('1.1.0')
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('There is nothing to do') })
    expect(await world.tags()).toEqual(second)

    await world.remote.raw('update-ref', 'refs/tags/v1', first.v1)
    expect(await world.tag('1.1.0')).toMatchObject({ exitCode: 0, stdout: `v1 → ${second.v1}` })
    expect(await world.tags()).toEqual(second)

    await world.remote.raw('update-ref', '-d', 'refs/tags/v1.1.0')
    expect(await world.tag('1.1.0')).toMatchObject({ exitCode: 0, stdout: `v1.1.0 → ${second.v1}` })
    expect(await world.tags()).toEqual(second)
  })

  test('refuses to give a version that is out another content', async () => {
    using world = await releaseWorld()
    world.stage('one')
    await world.tag('1.0.0')
    const before = await world.tags()
    world.stage('two')
    const { exitCode, all } = await world.tag('1.0.0')
    expect(exitCode).toBe(1)
    expect(all).toContain('A version that is out never changes: raise it with npx changeset.')
    expect(await world.tags()).toEqual(before)
  })

  test('never moves the major tag back, when an older release is made or made again', async () => {
    using world = await releaseWorld()
    for (const version of ['1.0.0', '1.1.0', '2.0.0', '1.0.1']) {
      world.stage(version)
      expect(await world.tag(version)).toMatchObject({ exitCode: 0 })
    }
    const tags = await world.tags()
    expect([tags.v1, tags.v2]).toEqual([tags['v1.1.0'], tags['v2.0.0']])
    expect(await world.remote.raw('rev-parse', 'v1.0.1~2')).toBe(tags['v1.0.0'])
  })

  test('refuses what is no version, and a workflow that would run what can be moved', async () => {
    using world = await releaseWorld()
    world.stage('one')
    expect(await world.tag('1.0')).toMatchObject({ exitCode: 1, all: expect.stringContaining('no version to tag') })
    world.stage('one', { sync: 'jobs: { a: { steps: [{ uses: actions/checkout@v7 }] } }\n' })
    expect(await world.tag('1.0.0')).toMatchObject({ exitCode: 1, all: expect.stringContaining('can be moved') })
  })
})
