import { type SimpleGit, simpleGit } from 'simple-git'

export type { SimpleGit }

const AUTHOR_AND_DATE = {
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
}
const NO_CONFIG = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
const GIT_ENV = { ...NO_CONFIG, ...AUTHOR_AND_DATE }

/**
 * Git in a folder, without the configuration, hooks and signing of the person who runs the tests: the branch is
 * `main`, author and date are always the same. Each command may be given `input` on its standard input.
 */
export function isolatedGit(folder: string, input?: Buffer): SimpleGit {
  return simpleGit(folder, {
    config: ['init.defaultBranch=main'],
    trimmed: true,
    allowEnvironment: Object.keys(GIT_ENV),
    unsafe: { allowUnsafeConfigPaths: true },
    input: () => input,
    // Without this a command that fails in silence has succeeded.
    errors: (error, { exitCode }) => error ?? (exitCode === 0 ? undefined : new Error(`git exited with ${exitCode}`)),
  }).env({ PATH: process.env.PATH, ...GIT_ENV })
}

/** Commits the work tree as it is, changed or not. @returns the id of the commit */
export async function commitAll(git: SimpleGit): Promise<string> {
  // Simple-git waits 50 ms for more of a command that has printed nothing.
  await git.add(['--all', '--verbose'])
  return (await git.commit('change', { '--allow-empty': null })).commit
}
