import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { actionWorld } from './world/action-world.ts'
import { PACKAGE } from './world/runner.ts'

test('@github/local-action runs the Action from its source', { timeout: 120_000 }, async () => {
  await using world = await actionWorld()
  await world.commit('docs', { 'a.md': '# A' })
  world.configure({ docs: { repo: 'docs' } })
  const inputs = { COMMAND: 'sync', TIMEOUT: '10m', CONCURRENCY: '1', 'FAIL-ON': 'blocked' }
  const given = { ...inputs, CONFIG: join(world.folder, 'tidemark.yaml'), 'DATABASE-URL': world.database }
  const lines = Object.entries(given).map(([name, value]) => `INPUT_${name}="${value}"\n`)
  writeFileSync(join(world.folder, '.env'), lines.join(''))
  const args = ['local-action', 'run', PACKAGE, 'src/run.ts', join(world.folder, '.env')]
  const { all } = await execa('npx', args, { cwd: PACKAGE, all: true, reject: false })
  expect(all).toContain('first_sync')
  expect(Object.keys(await world.bookmarks())).toEqual(['docs'])
})
