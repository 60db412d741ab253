import { channel } from 'node:diagnostics_channel'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { redact } from '../redact.ts'
import { execa } from './execa.ts'
import { processGroup } from './process-group.ts'

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

// Silent for three quarters of a minute, a server is given up, also where nobody is left to do it for us: before
// another process can have the lease, and with it the clone.
const SSH = 'ssh -oBatchMode=yes -oConnectTimeout=30 -oServerAliveInterval=15 -oServerAliveCountMax=3'

/** How long a git that was asked to end may take. */
const KILL_AFTER_MS = 1_000

const HARDENED = [
  ...['-c', 'core.hooksPath=/dev/null'],
  ...['-c', 'core.fsmonitor=false'],
  ...['-c', 'protocol.ext.allow=never'],
  // A server that sends less than a kilobyte a second for half a minute is not going to.
  ...['-c', 'http.lowSpeedLimit=1000', '-c', 'http.lowSpeedTime=30'],
  ...['-c', 'core.quotePath=false'],
]

/** A git that has ended, as `tidemark:git` tells it. */
export interface TracedGit {
  readonly args: readonly string[]
  readonly folder: string
  readonly elapsedMs: number
  readonly ok: boolean
}

const traces = channel('tidemark:git')

function traced<T extends Promise<unknown>>(folder: string, args: readonly string[], child: T): T {
  if (!traces.hasSubscribers) return child
  const started = performance.now()
  const told = args.map(redact)
  const end = (ok: boolean) =>
    traces.publish({ args: told, folder, elapsedMs: performance.now() - started, ok } satisfies TracedGit)
  child.then(
    () => end(true),
    () => end(false),
  )
  return child
}

/** What a call needs beside its arguments. */
export interface GitSettings {
  /** Whether it may talk to a server; what only reads may not, or a partial clone would fetch what it lacks. */
  readonly online?: boolean
  /** Configuration, passed in the environment where no one else can read it. */
  readonly config?: readonly (readonly [string, string])[]
  /** Variables for credential helpers. */
  readonly secrets?: Readonly<Record<string, string>>
  readonly input?: Readable
}

/**
 * Runs git on a repository to its end, without hooks, prompts or the caller's own GIT_DIR and its like.
 *
 * @param folder the repository; git does not look above it, so a folder inside another repository is not one.
 * @throws {ExecaError} when git fails; on the signal it is ended by SIGTERM, and by SIGKILL a second later.
 */
export async function git(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  { input, ...settings }: GitSettings = {},
): Promise<string> {
  const options = {
    env: environment(folder, settings),
    // A group of its own: git's helper for a protocol outlives git, and holds its pipes open.
    detached: true,
    ...(input ? { input } : { stdin: 'ignore' as const }),
  }
  const child = traced(folder, args, execa('git', [...HARDENED, '-C', folder, ...args], options))
  using group = processGroup(child.nodeChildProcess)
  const onAbort = () => group.end(KILL_AFTER_MS)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) onAbort()
    const { stdout } = await child
    return stdout
  } finally {
    signal.removeEventListener('abort', onAbort)
    // A helper of git's may have outlived it.
    if (signal.aborted) group.kill()
  }
}

/** Whether a git that answers by its exit code says yes. @throws the signal's reason. */
export async function succeeds(asked: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  try {
    await asked
    return true
  } catch {
    signal.throwIfAborted()
    return false
  }
}

/** Starts git on a repository, as {@link git} does, to read its output as it comes. */
export function gitStream(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  { input, ...settings }: GitSettings = {},
) {
  const options = {
    env: environment(folder, settings),
    cancelSignal: signal,
    forceKillAfterDelay: KILL_AFTER_MS,
    buffer: { stdout: false },
    encoding: 'buffer' as const,
    ...(input && { input }),
  }
  const child = traced(folder, args, execa('git', [...HARDENED, '-C', folder, ...args], options))
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

function environment(folder: string, { config = [], secrets = {}, online = false }: GitSettings): NodeJS.ProcessEnv {
  const inherited = Number(process.env.GIT_CONFIG_COUNT ?? 0)
  const configured = config.flatMap(([key, value], i) => [
    [`GIT_CONFIG_KEY_${inherited + i}`, key],
    [`GIT_CONFIG_VALUE_${inherited + i}`, value],
  ])
  return {
    ...Object.fromEntries(LOCAL.map((name) => [name, undefined])),
    ...secrets,
    ...Object.fromEntries(configured),
    GIT_CONFIG_COUNT: String(inherited + config.length),
    GIT_CEILING_DIRECTORIES: dirname(folder),
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    // As with passwords: ask nobody. A command of the user's own counts for more.
    GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? SSH,
    LC_ALL: 'C',
    // The list of transports that are allowed, empty: an object that is missing is told as missing.
    ...(!online && { GIT_ALLOW_PROTOCOL: '' }),
  }
}
