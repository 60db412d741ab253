import type { SyncResult } from '@tidemark/sync-core'

/** The files that a run has settled, whatever became of them. */
export function filesDone(result: SyncResult): number {
  const { filesImported, filesUpdated, filesRenamed, filesDeleted, filesQuarantined } = result
  return filesImported + filesUpdated + filesRenamed + filesDeleted + filesQuarantined
}
