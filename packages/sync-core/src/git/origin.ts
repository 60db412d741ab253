import { resolveRef } from './refs.ts'

/** Where a source's commits come from: a repository on this machine, or a server (`remote.ts`). */
export interface Origin {
  /** What reaching it counts as: only a server is fetched from. */
  readonly phase: 'fetch' | 'plan'
  /** The commit that the ref names now; fetches nothing. */
  resolveCommit(signal: AbortSignal): Promise<string>
  /** Makes the tree of the ref's commit readable in a folder; its blobs are fetched by {@link Origin.fetchBlobs}. */
  prepare(signal: AbortSignal): Promise<{ folder: string; commit: string }>
  /** Makes these blobs readable, those that are missing by one fetch; null where all of them are. */
  readonly fetchBlobs: ((oids: readonly string[], signal: AbortSignal) => Promise<void>) | null
}

/** A repository on this machine, read in place and never written to. @param folder absolute. */
export function localOrigin(folder: string, ref: string): Origin {
  const resolveCommit = (signal: AbortSignal) => resolveRef(folder, ref, signal)
  const prepare = async (signal: AbortSignal) => ({ folder, commit: await resolveCommit(signal) })
  return { phase: 'plan', resolveCommit, prepare, fetchBlobs: null }
}
