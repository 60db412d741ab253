import type { Origin } from './origin.ts'
import { type Repository, resolveRef } from './refs.ts'

/** A repository on this machine, read in place and never written to. @param path absolute. */
export function localOrigin(path: string, ref: string): Origin {
  const repository: Repository = { folder: path }
  return {
    phase: 'plan',
    resolveCommit: (signal) => resolveRef(repository, ref, signal),
    prepare: async (signal) => ({ repository, commit: await resolveRef(repository, ref, signal) }),
    fetchBlobs: null,
  }
}
