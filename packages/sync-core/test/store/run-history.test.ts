import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { readRunHistory } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

describe.each(engines)('the history of runs in %s', (engine) => {
  test('tells for how long a source was known to be behind when each run ended, newest first', async () => {
    await using world = await testWorld({ engine })
    await world.db.query(`INSERT INTO tidemark.runs (source_id, started_at, finished_at, status, to_commit, host, pid)
      SELECT source, now() - began * interval '1 min', now() - ended * interval '1 min', status, target, 'h', 1 FROM (VALUES
        ('docs', 200, 198, 'synced', 'a'), ('docs', 90, 85, 'partial', 'b'), ('docs', 70, 60, 'blocked', 'b'),
        ('docs', 40, 30, 'synced', 'c'), ('docs', 20, 19, 'failed', NULL), ('docs', 9, 4, 'synced', 'd'),
        ('docs', 2, NULL, NULL, 'e'), ('wiki', 50, 40, 'first_sync', 'a'), ('other', 5, 4, 'synced', 'a')
      ) AS run (source, began, ended, status, target) ORDER BY began DESC`)
    const runs = await readRunHistory(world.db, ['docs', 'wiki'])
    const minutes = runs.map(({ source, status, behindMs }) => [
      source,
      status,
      behindMs && Math.round(behindMs / 60_000),
    ])
    expect(minutes).toEqual([
      ['docs', 'synced', 5],
      ['docs', 'failed', null],
      ['docs', 'synced', 60],
      ['wiki', 'first_sync', 10],
      ['docs', 'blocked', 30],
      ['docs', 'partial', 5],
      ['docs', 'synced', 2],
    ])
  })
})
