import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { actionWorld, heldBack } from './world/action-world.ts'
import { PACKAGE } from './world/runner.ts'

const NO_RESULTS = '{"version":1,"results":[]}'
const NOWHERE = { DATABASE_URL: 'postgres://me@127.0.0.1:9/x' }
const FAILED = { results: NO_RESULTS, status: 'failed', partial: 'false' }

const promised = (command: string) =>
  Object.keys(parse(readFileSync(join(PACKAGE, command, 'action.yml'), 'utf8')).outputs)

describe('a step that ends before its first result has all of its outputs:', () => {
  test.each([
    ['sync', { ...FAILED, behind: 'unknown' }],
    ['embed', FAILED],
    ['break-stale', { results: NO_RESULTS }],
    ['status', { results: NO_RESULTS, status: 'behind', behind: 'unknown' }],
    ['plan', { matrix: '{"include":[]}', any: 'false', behind: 'unknown' }],
  ])('%s', async (uses, outputs) => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    world.configure({ docs: { repo: 'docs' } }, { url: 'http://127.0.0.1:9/v1', model: 'm' })
    expect(await world.run({ uses, env: NOWHERE })).toMatchObject({ exitCode: 1, outputs })
    expect(await world.run({ uses, with: { config: 'none.yaml' } })).toMatchObject({
      exitCode: 1,
      outputs,
    })
    expect(await world.run({ uses, env: { DATABASE_URL: '' } })).toMatchObject({ exitCode: 1, outputs })
    expect(Object.keys(outputs).sort()).toEqual(promised(uses).sort())
  })

  test('sync, where it is killed', async () => {
    await using world = await actionWorld()
    await world.vite('vite.git')
    world.configure({ vite: { repo: 'vite.git', ref: 'main' } })
    await world.run({ uses: 'plan' })
    await using held = await heldBack(world)
    const { child, ended } = world.start({ uses: 'sync' })
    await held.waiting()
    child.kill('SIGKILL')
    expect((await ended).outputs).toEqual({ ...FAILED, behind: 'unknown' })
  })
})
