export { closeDatabase } from './database/close-database.ts'
export { type Database, isEmbedded, openDatabase, type TracedStatement } from './database/database.ts'
export { cancelledEmbedResult } from './embed/cancelled-result.ts'
export { type Collected, collectEmbeddings } from './embed/collect-embeddings.ts'
export type { EmbedProgress, EmbedResult } from './embed/embed-result.ts'
export { type EmbedOptions, embedSource } from './embed/embed-source.ts'
export { checkedEmbedding, type Embedding } from './embed/embedding.ts'
export { isRemote } from './git/address.ts'
export type { TracedGit } from './git/git.ts'
export type { PlannedChange } from './plan/planned-changes.ts'
export { readPage, type ShownPage } from './search/read-page.ts'
export {
  type SearchHit,
  type SearchMode,
  type SearchOptions,
  type SearchResult,
  search,
} from './search/search.ts'
export { measureSource, type SourceSize } from './store/measure-source.ts'
export { migrate, pendingMigrations } from './store/migrate.ts'
export { type RunRecord, readRuns } from './store/read-runs.ts'
export { readSource, readSources, type StoredSource } from './store/read-source.ts'
export { readStatus, type SourceStanding } from './store/read-status.ts'
export { currentCommit } from './sync/current-commit.ts'
export { emptyResult } from './sync/empty-result.ts'
export { removeSource } from './sync/remove-source.ts'
export type { Holder, ResultError, StopReason, SyncResult, SyncStatus } from './sync/result.ts'
export { checkedSource, type Source } from './sync/source.ts'
export type { SyncOptions } from './sync/sync-options.ts'
export { syncSource } from './sync/sync-source.ts'
export { leaseKey } from './sync/take-lease.ts'
export type { Phase, Progress } from './sync/tally.ts'
export { SyncError, type SyncErrorCode } from './sync-error.ts'
export { withoutSecrets } from './without-secrets.ts'
