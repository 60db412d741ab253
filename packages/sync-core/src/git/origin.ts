import type { Repository } from './refs.ts'

/** Where a source's commits come from: a repository on this machine, or a server. */
export interface Origin {
  /** What reaching it counts as: only a server is fetched from. */
  readonly phase: 'fetch' | 'plan'
  /** The commit that the ref names now; fetches nothing. */
  resolveCommit(signal: AbortSignal): Promise<string>
  /** Makes the tree of the ref's commit readable; its blobs are fetched by {@link Origin.fetchBlobs}. */
  prepare(signal: AbortSignal): Promise<{ repository: Repository; commit: string }>
  /** Makes these blobs readable, those that are missing by one fetch; null where all of them are. */
  readonly fetchBlobs: ((oids: readonly string[], signal: AbortSignal) => Promise<void>) | null
}
