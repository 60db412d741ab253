import { type Database, type PlannedChange, type Source, type SyncOptions, syncSource } from '@tidemark/sync-core'
import pMap from 'p-map'
import type { SyncLive } from './telling.ts'
import type { Told } from './told.ts'

/** Syncs sources in this process, some at a time; each has a budget of its own, and none stops another. */
export function syncSideBySide(
  db: Database,
  sources: readonly Source[],
  { concurrency, live, ...options }: SyncOptions & { concurrency: number; live: SyncLive },
): Promise<Told[]> {
  return pMap(
    sources,
    async (source) => {
      let changes: PlannedChange[] | undefined
      const onPlan = (planned: Iterable<PlannedChange>) => {
        changes = [...planned]
      }
      const result = await syncSource(db, source, { ...options, onPlan, onProgress: live.progress })
      live.finished(result)
      return { ...result, ...(changes && { changes }) }
    },
    { concurrency },
  )
}
