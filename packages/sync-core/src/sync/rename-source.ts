import type { Database } from '../database/database.ts'
import { acquireLease, type Held, leaseKey } from '../run/lease.ts'
import { holderText } from '../run/next-steps.ts'
import { retryLost } from '../run/retry-lost.ts'
import { finishMove, moveSource, readMoveState } from '../store/move-source.ts'
import { SyncError } from '../sync-error.ts'

/**
 * Renames a source in the database, with all that belongs to it: nothing is imported again. What is left when it is
 * stopped, the next call with the same names moves.
 *
 * @param options.onMoved called when all is moved, before anyone else may have either name: what else knows the source by
 *   its name follows then.
 * @throws {SyncError} `BAD_SOURCE` where the new name is taken, `SOURCE_BUSY` naming who works on it.
 */
export async function renameSource(
  db: Database,
  from: string,
  to: string,
  { signal, onMoved }: { readonly signal: AbortSignal; readonly onMoved: () => Promise<void> | void },
): Promise<void> {
  const keys = (['sync', 'search', 'embed'] as const).flatMap((task) => [leaseKey(from, task), leaseKey(to, task)])
  await withLeases(db, keys, signal, async ([held, other]) => {
    if ((await readMoveState(db, from, to)) === 'taken') {
      const message = `there is a source "${to}" already in ${db.name}`
      throw new SyncError('BAD_SOURCE', message, `Choose another name, or: tidemark sources remove ${to} --purge`)
    }
    const move = { ...held!, from, to, otherLease: other!.lease }
    await retryLost(held!.signal, () => moveSource(move))
    await onMoved()
    await retryLost(held!.signal, () => finishMove(move))
  })
}

/** Does work under leases, which end with it; the loss of one stops it. */
async function withLeases(
  db: Database,
  [key, ...more]: readonly string[],
  signal: AbortSignal,
  work: (held: readonly Held[]) => Promise<void>,
  held: readonly Held[] = [],
): Promise<void> {
  if (key === undefined) return work(held.map((each) => ({ ...each, signal, db: held.at(-1)!.db })))
  const acquired = await acquireLease(db, key, { signal })
  if ('status' in acquired) {
    const message = `${holderText(acquired.holder)} is at work on it (lease ${key})`
    throw new SyncError('SOURCE_BUSY', message, 'Wait for it to end, or stop it.')
  }
  await using next = acquired
  await withLeases(db, more, next.signal, work, [...held, next])
}
