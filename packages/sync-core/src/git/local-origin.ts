import { git, succeeds } from './git.ts'
import type { Origin } from './origin.ts'
import { openRepository, resolveRef } from './repository.ts'

/** A repository on this machine, read in place. */
export function localOrigin(path: string, ref: string): Origin {
  return {
    phase: 'plan',
    async head(signal) {
      return resolveRef(await openRepository(path, signal), ref, signal)
    },
    async open(_, signal) {
      const repository = await openRepository(path, signal)
      return { repository, commit: await resolveRef(repository, ref, signal) }
    },
    has: (repository, commit, signal) =>
      succeeds(git(repository.folder, ['cat-file', '-e', `${commit}^{tree}`], signal), signal),
    async bring() {},
  }
}
