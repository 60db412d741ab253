import { setTimeout as sleep } from 'node:timers/promises'
import { type Lease, LockError } from '@tidemark/lock'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { openDatabase, syncSource } from '../../src/index.ts'
import { releaseWithRetry } from '../../src/run/lease.ts'
import { testWorld } from '../world/test-world.ts'

/** A lease that a database without an answer does not take back, each time after so long. */
function unreleasable(afterMs: number) {
  const asked: number[] = []
  const release = async () => {
    asked.push(performance.now())
    await sleep(afterMs)
    throw new LockError('LOCK_FAILED', 'the database has not answered')
  }
  return { asked, lease: { release } as unknown as Lease }
}

describe('a lease that cannot be given back', () => {
  test('is given up with the last attempt, without a pause after it', async () => {
    const { asked, lease } = unreleasable(0)

    await releaseWithRetry(lease)

    expect(asked).toHaveLength(4)
    expect(performance.now() - asked.at(-1)!).toBeLessThan(500)
  })

  test('is not tried again once nobody waits for it', async () => {
    const { asked, lease } = unreleasable(3_300)

    await releaseWithRetry(lease)
    await sleep(1_000)

    expect(asked).toHaveLength(1)
  })
})

test('a run whose leases do not answer has failed by the database, not by a fault of ours', async () => {
  await using world = await testWorld({ engine: 'postgres' })
  await world.repository.commit({ 'a.md': 'a' })
  const db = await openDatabase(world.url, { ttlMs: 1_500, heartbeatMs: 300, marginMs: 300 })
  const other = new pg.Client({ connectionString: world.url })
  await other.connect()
  await other.query('BEGIN')
  await other.query('LOCK TABLE tidemark.locks IN ACCESS EXCLUSIVE MODE')

  const result = await syncSource(db, { id: 'docs', repo: world.repository.folder, ref: 'main' })
  await other.query('ROLLBACK')
  await other.end()

  expect(result).toMatchObject({
    ...{ status: 'failed', reason: 'database_unreachable' },
    error: { code: 'DATABASE_UNREACHABLE', message: expect.stringContaining('has not answered within') },
  })
  await db.close()
})
