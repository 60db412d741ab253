export { isEmbedded } from './database/address.ts'
export type { Database } from './database/database.ts'
export { closeDatabase, type DatabaseOptions, openDatabase, type TracedStatement } from './database/open.ts'
export { DatabaseInUseError } from './database/pglite/in-use.ts'
export { checkEmbeddingServer } from './embed/check-server.ts'
export { isIndexRefused } from './embed/complete-set.ts'
export { type EmbedOptions, embedSource } from './embed/embed-source.ts'
export { type Embedding, validateEmbedding } from './embed/embedding.ts'
export { exitWithParent } from './exit-with-parent.ts'
export { followChanges } from './feed/follow-changes.ts'
export { isRemote, isUnencrypted } from './git/address.ts'
export { findGitFolders } from './git/refs.ts'
export type { TracedGit } from './git/run-git.ts'
export type { PlannedChange } from './plan/plan.ts'
export { redact } from './redact.ts'
export { type EmbedProgress, type EmbedResult, emptyEmbedResult } from './run/embed-result.ts'
export { exitCodeFromError, exitCodeFromResults, severityFromStatus, statusText, worstStatus } from './run/exit-code.ts'
export { leaseKey } from './run/lease.ts'
export {
  countRun,
  errorProblem,
  holderText,
  type Note,
  otherWarnings,
  type Problem,
  QUARANTINE_STEPS,
  type RunResult,
  resultNotes,
  resultProblem,
  runsLeft,
  warningProblems,
} from './run/next-steps.ts'
export type {
  Holder,
  Outcome,
  Phase,
  ResultError,
  RunStatus,
  StopReason,
  SyncResult,
  SyncStatus,
  Warning,
} from './run/outcome.ts'
export { emptyResult, selectionWarnings } from './run/outcome.ts'
export { errorCode } from './run/outcome-from-error.ts'
export type { Progress } from './run/progress.ts'
export { settingWords, shellQuote, stepForCall } from './run/setting-step.ts'
export {
  describeSource,
  type Expected,
  type ProblemCode,
  type RemoteHead,
  type SourceDescription,
  type SourceProblem,
  type SourceState,
  type SourceStatus,
} from './run/source-state.ts'
export { type SearchMode, type SearchOptions, type SearchResult, search } from './search/search.ts'
export { checkDatabase, type DatabaseProblem, explainRefusal, refuseUnreadable } from './store/check-database.ts'
export { countRuns, type RunCount } from './store/count-runs.ts'
export { countSource, type SourceSize } from './store/count-source.ts'
export { collectEmbeddings, type GcResult } from './store/embeddings/collect-embeddings.ts'
export { countUnembedded, readModels } from './store/embeddings/models.ts'
export { pendingIndexes, readVectorIndex } from './store/embeddings/vector-index.ts'
export {
  CREATE_EXTENSION_STEP,
  checkVectors,
  pendingVectorTable,
  type VectorSupport,
} from './store/embeddings/vector-space.ts'
export { migrate, pendingMigrations } from './store/migrate.ts'
export { DEFAULT_KEEP_MS, pruneChanges } from './store/prune-changes.ts'
export {
  type Change,
  type ChangedPage,
  type ChangeList,
  type ReadChangesOptions,
  readChanges,
} from './store/read-changes.ts'
export { readPage, type ShownPage } from './store/read-page.ts'
export { listQuarantine, type QuarantineRecord } from './store/read-quarantine.ts'
export { type EndedRun, readRunHistory } from './store/read-run-history.ts'
export { type RunRecord, readRuns } from './store/read-runs.ts'
export { readSection, type ShownSection } from './store/read-section.ts'
export { readSource, readSources, type StoredSource } from './store/read-source.ts'
export { readStatus } from './store/read-status.ts'
export type { SearchHit } from './store/search/find-hits.ts'
export { removeSource } from './sync/remove-source.ts'
export { renameSource } from './sync/rename-source.ts'
export { currentCommit, findHead, type Head, type Source, sourceDigests, validateSource } from './sync/source.ts'
export { type SyncOptions, syncSource } from './sync/sync-source.ts'
export { SyncError, type SyncErrorCode } from './sync-error.ts'
