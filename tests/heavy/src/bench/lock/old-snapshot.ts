import { median } from '../../ground/percentile.ts'
import { withClient } from '../../ground/with-client.ts'
import { acquireRelease } from './acquire-release.ts'
import type { Contender } from './contender.ts'

/** How often a key is taken and given up beside the snapshot. */
export const SNAPSHOT_TIMES = 1_200

/**
 * Takes and gives up a key beside a transaction that may still read whatever row there was when it began, so that none
 * is removed; and in turn with that the same key in another database, whose rows that transaction does not keep.
 *
 * @returns the median time beside it, as a multiple of the median time in the other database.
 */
export async function snapshotSlowdown(beside: Contender, besideUrl: string, without: Contender): Promise<number> {
  return withClient(besideUrl, async (db) => {
    await db.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await db.query('SELECT FROM pg_class LIMIT 1')
    const ms = { beside: [] as number[], without: [] as number[] }
    for (let n = 0; n < SNAPSHOT_TIMES; n++) {
      ms.beside.push(await acquireRelease(beside, 'snapshot'))
      ms.without.push(await acquireRelease(without, 'snapshot'))
    }
    return median(ms.beside) / median(ms.without)
  })
}
