import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commitAll, isolatedGit } from '@tidemark/test-engines/git'
import { serveGit } from '@tidemark/test-engines/git-server'
import { describe, expect, test } from 'vitest'
import { clonesFolder } from '../src/runner/clones-folder.ts'
import { actionWorld } from './world/action-world.ts'

describe('clones', () => {
  test('outlive the cleaning of the work tree on a self-hosted runner', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    const server = await serveGit(join(world.folder, 'docs'))
    const workspace = join(world.folder, 'wiki/wiki')
    mkdirSync(workspace, { recursive: true })
    const config = join(workspace, 'tidemark.yaml')
    writeFileSync(config, JSON.stringify({ sources: { docs: { repo: server.url, ref: 'main' } } }))
    const git = isolatedGit(workspace)
    await git.init()
    await commitAll(git)

    const env = { RUNNER_ENVIRONMENT: 'self-hosted', GITHUB_WORKSPACE: workspace }
    const step = await world.run({ uses: 'sync', with: { config }, env })
    expect(step).toMatchObject({ outputs: { status: 'first_sync' } })
    await server.close()
    await git.raw('clean', '-ffdx')

    const clone = isolatedGit(join(world.folder, 'wiki/_tidemark/.tidemark/clones/docs.git'))
    expect(await clone.raw('rev-parse', '--is-bare-repository')).toBe('true')
  })

  const self = { RUNNER_ENVIRONMENT: 'self-hosted', GITHUB_WORKSPACE: '/runner/wiki/wiki' }
  test.each([
    [
      'beside the work tree there',
      '/runner/wiki/wiki/.tidemark/clones',
      self,
      '/runner/wiki/_tidemark/.tidemark/clones',
    ],
    [
      'apart for each tidemark.yaml',
      '/runner/wiki/wiki/a/.tidemark/clones',
      self,
      '/runner/wiki/_tidemark/a/.tidemark/clones',
    ],
    ['where they are, outside of the work tree', '/srv/.tidemark/clones', self, '/srv/.tidemark/clones'],
    [
      'where they are, on a runner of GitHub',
      '/w/w/.tidemark/clones',
      { GITHUB_WORKSPACE: '/w/w' },
      '/w/w/.tidemark/clones',
    ],
  ])('are kept %s', (_, configured, env, expected) => {
    expect(clonesFolder(configured, env)).toBe(expected)
  })
})
