import { setTimeout as sleep } from 'node:timers/promises'
import { withClient } from '../../harness/harness.ts'
import { median } from '../../harness/statistics.ts'

export type Release = () => Promise<unknown>

/** One of the locks that are timed side by side. */
export interface Contender {
  readonly name: string
  /** What it does not do, or does another way. */
  readonly caveats: string
  /** Of its leases; null where each is a connection instead. */
  readonly table: string | null
  /** @returns null where the key is not free. */
  readonly tryAcquire: (key: string) => Promise<Release | null>
  /** Waits for a key as another process would. */
  readonly acquire?: (key: string) => Promise<Release>
  /** Renews {@link LEASES} leases so often. */
  readonly renew?: (times: number) => Promise<readonly { ms: number; statements: number }[]>
  /** How many queries were sent for a key so far. */
  readonly countQueries?: (key: string) => number
}

/** How many leases are renewed at once. */
export const LEASES = 100

/** As many workers acquire and release leases side by side, and as many connections has each contender. */
export const WORKERS = 8

/** How long a key is held that another waits for: a waiter has found its pace by then. */
export const HELD_MS = 2_000
/** For up to so much longer, so that a release is not in step with any waiter. */
const MAX_JITTER_MS = 300

/** How often a key is acquired and released beside the snapshot. */
export const SNAPSHOT_TIMES = 1_200

/** Acquires a key and releases it. @returns how long that took. */
export async function acquireRelease({ name, tryAcquire }: Contender, key: string): Promise<number> {
  const startedAt = performance.now()
  const release = await tryAcquire(key)
  if (release === null) throw new Error(`${name}: "${key}" is not free`)
  await release()
  return performance.now() - startedAt
}

/** @returns how many leases a second all workers acquire and release together, each on a key of its own. */
export async function leasesPerSecond(contender: Contender, timesEach: number): Promise<number> {
  const startedAt = performance.now()
  const work = async (key: string) => {
    for (let n = 0; n < timesEach; n++) await acquireRelease(contender, key)
  }
  await Promise.all(Array.from({ length: WORKERS }, (_, n) => work(`worker ${n}`)))
  return (WORKERS * timesEach * 1_000) / (performance.now() - startedAt)
}

/**
 * Hands a key over to one that waits for it. Adds the time from the release to the moment at which the other has it,
 * and how many queries the waiter sent until then, where that is counted.
 */
export async function handoff(
  { tryAcquire, acquire, countQueries }: Contender,
  key: string,
  values: { readonly handoffMs: number[]; readonly waiterQueriesPerSecond: number[] },
): Promise<void> {
  if (!acquire) return
  const release = await tryAcquire(key)
  const [queriesBefore, startedAt] = [countQueries?.(key), performance.now()]
  const waiting = acquire(key).then((release) => ({ release, at: performance.now() }))
  await sleep(HELD_MS + Math.random() * MAX_JITTER_MS)
  const [queries, releasedAt] = [countQueries?.(key), performance.now()]
  await release!()
  const next = await waiting
  await next.release()
  values.handoffMs.push(next.at - releasedAt)
  if (queries === undefined) return
  values.waiterQueriesPerSecond.push(((queries - queriesBefore!) * 1_000) / (releasedAt - startedAt))
}

/**
 * Acquires and releases a key beside a transaction that may still read every row version since it began, so that none
 * is removed; and in turn with that the same key in another database, whose rows that transaction does not keep.
 *
 * @returns the median time beside it, as a multiple of the median time in the other database.
 */
export function snapshotSlowdown(beside: Contender, besideUrl: string, without: Contender): Promise<number> {
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
