import type { Database } from '../database/database.ts'
import { purgeSource } from '../store/purge-source.ts'
import { SyncError } from '../sync-error.ts'
import { takeLease } from './take-lease.ts'

/**
 * Removes a source and its pages from the database, unless a sync of it is running.
 *
 * @throws {SyncError} `SOURCE_BUSY` naming who syncs it.
 */
export async function removeSource(db: Database, sourceId: string, signal: AbortSignal): Promise<void> {
  const taken = await takeLease(db, sourceId, undefined, signal)
  if ('status' in taken) {
    const { host, pid } = taken.holder
    throw new SyncError(
      'SOURCE_BUSY',
      `"${sourceId}" is being synced by process ${pid} on ${host}`,
      'Wait for it to end, or stop it.',
    )
  }
  await using lease = taken
  await purgeSource(db, lease, sourceId)
}
