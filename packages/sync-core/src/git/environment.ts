import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Address } from './address.ts'
import { serverConfig } from './credentials.ts'

// What `git rev-parse --local-env-vars` prints, configuration aside, and what a hook of receive-pack has besides: left by
// a hook or a shell, each of them would point our git at another repository than the one we name, or keep it from
// writing to our clone.
const REPO_ENV_VARS = [
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_IMPLICIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY'],
  ...['GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_GRAFT_FILE', 'GIT_SHALLOW_FILE', 'GIT_REPLACE_REF_BASE', 'GIT_PREFIX'],
  ...['GIT_NAMESPACE', 'GIT_QUARANTINE_PATH', 'GIT_INTERNAL_SUPER_PREFIX', 'GIT_DEFAULT_HASH', 'GIT_CONFIG'],
]

/** Settings of every git that we run: whatever a repository says, it starts no program of its own. */
export const SAFE_CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'protocol.ext.allow=never',
  // A server that sends less than a kilobyte a second for half a minute is not going to.
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
  'core.quotePath=false',
]

/**
 * The environment of a git on a repository; git does not look above it: a folder inside another repository is not one,
 * whether it is named by its own path or by a symlink.
 * It may talk to a server by the name of `tidemark`; what only reads may not talk to any.
 */
export function gitEnvironment(folder: string, server?: Address): NodeJS.ProcessEnv {
  const inherited = Number(process.env.GIT_CONFIG_COUNT ?? 0)
  const config = server ? serverConfig(server, inherited) : []
  const configured = config.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${inherited + i}`, key],
    [`GIT_CONFIG_VALUE_${inherited + i}`, value],
  ])
  return {
    ...process.env,
    ...Object.fromEntries(REPO_ENV_VARS.map((name) => [name, undefined])),
    ...Object.fromEntries(configured),
    GIT_CONFIG_COUNT: String(inherited + config.length),
    GIT_CEILING_DIRECTORIES: dirname(realPath(folder)),
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C',
    // Without a transport, git reports an object that a partial clone lacks instead of fetching it.
    ...(server ? { TIDEMARK_GIT_PASSWORD: server.password ?? '' } : { GIT_ALLOW_PROTOCOL: '' }),
  }
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}
