import type { ResultError, SyncResult } from './result.ts'

type Ending =
  | { readonly status: 'partial'; readonly reason: 'cancelled' }
  | { readonly status: 'failed'; readonly reason: string; readonly error: ResultError }

/** The result of a source of which no run could tell anything itself. */
export function emptyResult(source: string, ending: Ending, elapsedMs = 0): SyncResult {
  return {
    source,
    ...ending,
    bookmark: null,
    target: null,
    filesImported: 0,
    filesUpdated: 0,
    filesRenamed: 0,
    filesDeleted: 0,
    filesQuarantined: 0,
    filesRemaining: null,
    blobsRead: 0,
    elapsedMs,
    phases: { lock: 0, fetch: 0, plan: 0, apply: 0, search: 0 },
    warnings: [],
  }
}
