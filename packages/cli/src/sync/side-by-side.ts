import {
  type Database,
  type Source,
  type SyncOptions,
  type SyncResult,
  syncSource,
} from '@tidemark/sync-core'
import pMap from 'p-map'
import type { Live } from '../show/live.ts'

/** Syncs sources in this process, some at a time; each has a budget of its own, and none stops another. */
export function syncSideBySide(
  db: Database,
  sources: readonly Source[],
  { concurrency, live, ...options }: SyncOptions & { concurrency: number; live: Live },
): Promise<SyncResult[]> {
  return pMap(
    sources,
    async (source) => {
      const result = await syncSource(db, source, { ...options, onProgress: live.progress })
      live.finished(result)
      return result
    },
    { concurrency },
  )
}
