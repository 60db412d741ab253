import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { execa } from 'execa'

// What `git rev-parse --local-env-vars` prints, configuration aside: left by a hook or a shell, each of them
// would point our git at another repository than the one we name.
const LOCAL = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_GRAFT_FILE',
  'GIT_SHALLOW_FILE',
  'GIT_REPLACE_REF_BASE',
  'GIT_PREFIX',
  'GIT_NAMESPACE',
]

const HARDENED = [
  ...['-c', 'core.hooksPath=/dev/null'],
  ...['-c', 'core.fsmonitor=false'],
  ...['-c', 'protocol.ext.allow=never'],
  ...['-c', 'core.quotePath=false'],
]

/**
 * Runs git on a repository to its end, without hooks, prompts or the caller's own GIT_DIR and its like.
 *
 * @param folder the repository; git does not look above it, so a folder inside another repository is not one.
 * @throws {ExecaError} when git fails; on the signal it is ended by SIGTERM, and by SIGKILL a second later.
 */
export async function git(folder: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { stdout } = await execa('git', [...HARDENED, '-C', folder, ...args], {
    env: environment(folder),
    cancelSignal: signal,
    forceKillAfterDelay: 1000,
  })
  return stdout
}

/** Starts git on a repository, as {@link git} does, to read its output as it comes. */
export function gitStream(folder: string, args: readonly string[], signal: AbortSignal, input?: Readable) {
  const child = execa('git', [...HARDENED, '-C', folder, ...args], {
    env: environment(folder),
    cancelSignal: signal,
    forceKillAfterDelay: 1000,
    buffer: { stdout: false },
    encoding: 'buffer',
    ...(input && { input }),
  })
  // The stream tells a failure first; until it is awaited, the promise's is not unhandled.
  child.catch(() => {})
  return {
    pieces: child.stdout as AsyncIterable<Buffer>,
    /** Resolves when git has ended well. */
    ended: child as Promise<unknown>,
    /** Ends git where it still runs, and waits for it. */
    async stop() {
      child.kill()
      // What nobody takes any more would keep the end from coming.
      child.stdout.destroy()
      await child.catch(() => {})
    },
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(LOCAL.map((name) => [name, undefined])),
    GIT_CEILING_DIRECTORIES: dirname(folder),
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C',
  }
}
