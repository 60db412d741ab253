import type { Database } from '../database/database.ts'
import { acquireLease, leaseKey } from '../run/lease.ts'
import { retryLost } from '../run/retry-lost.ts'
import { deleteSource } from '../store/delete-source.ts'
import { SyncError } from '../sync-error.ts'

/**
 * Removes a source and its pages from the database, unless a sync of it is running. What is left when it is stopped,
 * the next call removes.
 *
 * @throws {SyncError} `SOURCE_BUSY` naming who syncs it.
 */
export async function removeSource(db: Database, sourceId: string, signal: AbortSignal): Promise<void> {
  const acquired = await acquireLease(db, leaseKey(sourceId), { signal })
  if ('status' in acquired) {
    const { host, pid } = acquired.holder
    const message = `"${sourceId}" is being synced by process ${pid} on ${host}`
    throw new SyncError('SOURCE_BUSY', message, 'Wait for it to end, or stop it.')
  }
  await using held = acquired
  await retryLost(held.signal, () => deleteSource(held, sourceId))
}
