import type { SyncResult } from '@tidemark/sync-core'

/** The result of a source whose sync was stopped before it began. */
export function cancelledResult(source: string): SyncResult {
  return {
    source,
    status: 'partial',
    reason: 'cancelled',
    bookmark: null,
    target: null,
    filesImported: 0,
    filesUpdated: 0,
    filesRenamed: 0,
    filesDeleted: 0,
    filesQuarantined: 0,
    filesRemaining: null,
    blobsRead: 0,
    elapsedMs: 0,
    phases: { lock: 0, fetch: 0, plan: 0, apply: 0, search: 0 },
    warnings: [],
  }
}
