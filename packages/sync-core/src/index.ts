export { closeDatabase } from './database/close-database.ts'
export { type Database, isEmbedded, openDatabase, type TracedStatement } from './database/database.ts'
export { collectEmbeddings, type GcResult } from './embed/collect-embeddings.ts'
export type { EmbedProgress, EmbedResult } from './embed/embed-result.ts'
export { cancelledEmbedResult } from './embed/embed-result.ts'
export { type EmbedOptions, embedSource } from './embed/embed-source.ts'
export { type Embedding, validateEmbedding } from './embed/embedding.ts'
export { isRemote } from './git/address.ts'
export type { TracedGit } from './git/git.ts'
export type { PlannedChange } from './plan/planned-changes.ts'
export { redact } from './redact.ts'
export type { Holder, ResultError, StopReason, SyncResult, SyncStatus } from './run/outcome.ts'
export { emptyResult } from './run/outcome.ts'
export {
  countRun,
  errorProblem,
  holderText,
  type Note,
  otherWarnings,
  type Problem,
  type RunResult,
  resultNotes,
  resultProblem,
  runsLeft,
} from './run/problem.ts'
export { exitCodeFromResults, severityFromStatus, statusText, worstStatus } from './run/severity.ts'
export {
  describeSource,
  holderProblem,
  type RemoteHead,
  type SourceDescription,
  type SourceState,
  sourceProblem,
} from './run/source-state.ts'
export { readPage, type ShownPage } from './search/read-page.ts'
export {
  type SearchHit,
  type SearchMode,
  type SearchOptions,
  type SearchResult,
  search,
} from './search/search.ts'
export { countSource, type SourceSize } from './store/count-source.ts'
export { migrate, pendingMigrations } from './store/migrate.ts'
export { type RunRecord, readRuns } from './store/read-runs.ts'
export { readSource, readSources, type StoredSource } from './store/read-source.ts'
export { readStatus, type SourceStatus } from './store/read-status.ts'
export { currentCommit } from './sync/current-commit.ts'
export { removeSource } from './sync/remove-source.ts'
export { type Source, validateSource } from './sync/source.ts'
export type { SyncOptions } from './sync/sync-options.ts'
export { syncSource } from './sync/sync-source.ts'
export { leaseKey } from './sync/take-lease.ts'
export type { Phase, Progress } from './sync/tally.ts'
export { SyncError, type SyncErrorCode } from './sync-error.ts'
