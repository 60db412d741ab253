import type { Repository } from './repository.ts'

/** Where a source's commits come from: a repository on this machine, or a server. */
export interface Origin {
  /** What reaching it counts as: only a server is fetched from. */
  readonly phase: 'fetch' | 'plan'
  /** The commit that the ref names now; brings nothing here. */
  head(signal: AbortSignal): Promise<string>
  /**
   * Makes the tree of the ref's commit readable.
   *
   * @param wanted how much of its content will be needed: all of it, or only what {@link Origin.bring} asks for.
   */
  open(
    wanted: 'everything' | 'tree',
    signal: AbortSignal,
  ): Promise<{ repository: Repository; commit: string }>
  /** Whether the tree of an earlier commit is still there to be compared with. */
  has(repository: Repository, commit: string, signal: AbortSignal): Promise<boolean>
  /** Makes these blobs readable, those that are missing all at once. */
  bring(repository: Repository, oids: Iterable<string>, signal: AbortSignal): Promise<void>
}
