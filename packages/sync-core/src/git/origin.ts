import type { Repository } from './repository.ts'

/** Where a source's commits come from: a repository on this machine, or a server. */
export interface Origin {
  /** What reaching it counts as: only a server is fetched from. */
  readonly phase: 'fetch' | 'plan'
  /** The commit that the ref names now; brings nothing here. */
  head(signal: AbortSignal): Promise<string>
  /** Makes the tree of the ref's commit readable; of its content, only what {@link Origin.bring} is asked for. */
  open(signal: AbortSignal): Promise<{ repository: Repository; commit: string }>
  /** Makes these blobs readable, those that are missing by one fetch; null where all of them are. */
  readonly bring: ((oids: readonly string[], signal: AbortSignal) => Promise<void>) | null
}
