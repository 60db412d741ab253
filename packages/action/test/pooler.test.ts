import { expect, test } from 'vitest'
import { pgbouncerIsThere, startPgbouncer } from '../../lock/test/world/pgbouncer.ts'
import { actionWorld } from './world/action-world.ts'

test.runIf(pgbouncerIsThere())('works through a pooler in transaction mode with two connections', async () => {
  await using world = await actionWorld()
  await world.vite('vite.git')
  await world.commit('docs', { 'a.md': '# A' })
  world.configure({ vite: { repo: 'vite.git', ref: 'main' }, docs: { repo: 'docs' } })
  const { url, stop } = await startPgbouncer(world.database)
  const env = { DATABASE_URL: url }
  expect(await world.run({ uses: 'break-stale', env })).toMatchObject({ exitCode: 0 })
  expect(await world.run({ uses: 'plan', env })).toMatchObject({ outputs: { any: 'true' } })
  expect(await world.run({ uses: 'sync', env })).toMatchObject({ outputs: { status: 'first_sync' } })
  expect(await world.run({ uses: 'status', env })).toMatchObject({ outputs: { behind: '[]' } })
  await stop()
})
