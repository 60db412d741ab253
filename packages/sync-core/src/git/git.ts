/**
 * How git is run: its porcelain on a repository of this machine by simple-git ({@link localGit}), what is streamed or
 * talks to a server by {@link startGit}.
 *
 * Neither runs hooks, asks anyone, or sees the caller's GIT_DIR; what only reads may use no transport at all. A signal
 * ends both. A git that streams or fetches has a process group of its own, which is sent SIGTERM, and SIGKILL a second
 * later: its helper for a protocol would outlive it. simple-git sends SIGINT to git alone, which ends everything that git
 * does locally, because there it starts nothing; so it is not used on a server ([test](../../test/git/git.test.ts)).
 */
import { channel } from 'node:diagnostics_channel'
import type { Readable } from 'node:stream'
import { ABORTED, raceAbort } from '../abort.ts'
import { redact } from '../redact.ts'
import { type GitSettings, gitEnvironment, SAFE_CONFIG } from './environment.ts'
import { processGroup } from './process-group.ts'

/** From SIGTERM to SIGKILL. */
const KILL_AFTER_MS = 1_000

/** A git that has ended, as published on the diagnostics channel `tidemark:git`. */
export interface TracedGit {
  readonly args: readonly string[]
  readonly folder: string
  readonly elapsedMs: number
  readonly ok: boolean
}

const traces = channel('tidemark:git')

function trace<T extends Promise<unknown>>(folder: string, args: readonly string[], running: T): T {
  if (!traces.hasSubscribers) return running
  const started = performance.now()
  const end = (ok: boolean) =>
    traces.publish({ args: args.map(redact), folder, elapsedMs: performance.now() - started, ok } satisfies TracedGit)
  running.then(
    () => end(true),
    () => end(false),
  )
  return running
}

/** simple-git refuses what could run a program. All of it is ours ({@link SAFE_CONFIG}) or in the user's environment. */
const TRUSTED_SETTINGS = Object.fromEntries(
  ['Alias', 'AskPass', 'CommandBinaries', 'ConfigEnvCount', 'ConfigPaths', 'CredentialHelper', 'DiffExternal']
    .concat(['DiffTextConv', 'Editor', 'Exec', 'Filter', 'FsMonitor', 'GitProxy', 'GpgProgram', 'HooksPath', 'Include'])
    .concat([
      'MergeDriver',
      'Pack',
      'Pager',
      'ProtocolOverride',
      'SshCommand',
      'Submodule',
      'TemplateDir',
      'UrlRewrite',
    ])
    .map((name) => [`allowUnsafe${name}`, true]),
)

/**
 * Has git's porcelain answer as text.
 *
 * @param input for its standard input.
 * @throws {GitError} when git fails, or the signal's reason.
 */
export async function localGit(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  input?: string,
): Promise<string> {
  signal.throwIfAborted()
  // Loaded only when needed: a remote source with nothing new does not need it.
  const { simpleGit } = await import('./simple-git.ts')
  const env = gitEnvironment(folder) as Record<string, string>
  const git = simpleGit({
    baseDir: folder,
    config: SAFE_CONFIG,
    abort: signal,
    trimmed: true,
    allowEnvironment: Object.keys(env),
    unsafe: TRUSTED_SETTINGS,
    // All that was printed is there then; waiting for the exit as well would leave a timer behind.
    completion: { onExit: false },
    ...(input !== undefined && { input: () => input }),
  }).env(env)
  const answer = await raceAbort(trace(folder, args, git.raw([...args])), signal, KILL_AFTER_MS).catch((error) => {
    signal.throwIfAborted()
    throw error
  })
  if (answer === ABORTED) throw signal.reason
  return answer
}

/** Whether a git that answers by its exit code says yes. @throws the signal's reason. */
export async function exitsZero(running: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  try {
    await running
    return true
  } catch {
    signal.throwIfAborted()
    return false
  }
}

/** A git whose output is read as it comes. */
export interface RunningGit {
  readonly output: AsyncIterable<Buffer>
  /** Resolves when git has ended well. */
  readonly ended: Promise<unknown>
  /** Ends git where it still runs, and waits for it. */
  stop(): Promise<void>
}

/**
 * Starts git on a repository.
 *
 * @param options.input for its standard input.
 * @throws {ExecaError} from `ended` when git fails; on the signal its group gets SIGTERM, and SIGKILL a second later.
 */
export async function startGit(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  { input, ...settings }: GitSettings & { readonly input?: Readable } = {},
): Promise<RunningGit> {
  const { execa } = await import('./execa.ts')
  const child = execa('git', [...SAFE_CONFIG.flatMap((setting) => ['-c', setting]), '-C', folder, ...args], {
    env: gitEnvironment(folder, settings),
    detached: true,
    buffer: { stdout: false },
    encoding: 'buffer',
    ...(input ? { input } : { stdin: 'ignore' }),
  })
  const group = processGroup(child.nodeChildProcess)
  const onAbort = () => group.end(KILL_AFTER_MS)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const ended = trace(folder, args, child).finally(() => {
    signal.removeEventListener('abort', onAbort)
    // A helper of git's may have outlived it.
    if (signal.aborted) group.kill()
    group[Symbol.dispose]()
  })
  // Readers of the stream meet a failure first; until the promise is awaited, its rejection is not unhandled.
  ended.catch(() => {})
  return {
    output: child.stdout as AsyncIterable<Buffer>,
    ended,
    async stop() {
      group.end(KILL_AFTER_MS)
      // Output that nobody reads any more would keep git from ending.
      child.stdout.destroy()
      await ended.catch(() => {})
    },
  }
}
