import type { SyncResult } from '@tidemark/sync-core'

/** The files that a run has settled, whatever became of them. */
export function filesDone(result: SyncResult): number {
  const { filesImported, filesUpdated, filesRenamed, filesDeleted, filesQuarantined } = result
  return filesImported + filesUpdated + filesRenamed + filesDeleted + filesQuarantined
}

/** How many more runs that settle as much as this one it takes; null where that can't be told. */
export function runsLeft(result: SyncResult): number | null {
  const done = filesDone(result)
  return result.filesRemaining === null || done === 0 ? null : Math.ceil(result.filesRemaining / done)
}
