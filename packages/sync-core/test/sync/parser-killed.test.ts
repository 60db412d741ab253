import { childPids } from '@tidemark/test-engines/processes'
import { expect, test, vi } from 'vitest'
import { testWorld } from '../world/test-world.ts'

test('a run whose parser is killed from outside fails and says so, sets no file aside, and the next one stores it', {
  timeout: 60_000,
}, async () => {
  await using world = await testWorld({ engine: 'postgres' })
  await world.repository.commit({ 'a.md': 'a', 'slow.md': '>'.repeat(48_000) })

  const killing = setInterval(() => {
    for (const pid of childPids('parser-process')) process.kill(pid, 'SIGKILL')
  }, 50)
  const failed = await world.sync().finally(() => clearInterval(killing))

  expect(failed).toMatchObject({
    ...{ status: 'failed', reason: 'parser_killed', filesQuarantined: 0 },
    error: { code: 'PARSER_KILLED', message: expect.stringContaining('slow.md') },
  })
  const { rows } = await world.db.query('SELECT path FROM tidemark.quarantine')
  expect(rows).toEqual([])
  await vi.waitFor(() => expect(childPids('parser-process')).toEqual([]))
  expect(await world.sync()).toMatchObject({ status: 'first_sync', bookmark: failed.target })
  expect(await world.pages()).toEqual(await world.repository.tree())
})
