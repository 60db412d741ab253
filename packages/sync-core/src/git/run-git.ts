/**
 * How git is run: its porcelain on a repository of this machine by simple-git ({@link localGit}), what is streamed or
 * talks to a server by {@link startGit}.
 *
 * Neither runs hooks, asks anyone, or sees the caller's GIT_DIR; what only reads may use no transport at all. A signal
 * ends both. A git that streams or fetches has a process group of its own, which is sent SIGTERM, and SIGKILL a second
 * later: its helper for a protocol would outlive it. simple-git sends SIGINT to git alone, which ends everything that git
 * does locally, because there it starts nothing; so it is not used on a server ([test](../../test/git/run-git.test.ts)).
 */
import { channel } from 'node:diagnostics_channel'
import { setImmediate } from 'node:timers/promises'
import { ABORTED, raceAbort } from '../race-abort.ts'
import { redact } from '../redact.ts'
import { traced } from '../trace.ts'
import type { Address } from './address.ts'
import { gitEnvironment, SAFE_CONFIG } from './environment.ts'
import { sshEnvironment } from './ssh.ts'

/** From SIGTERM to SIGKILL. */
const KILL_AFTER_MS = 1_000
/** One line at a time would be one system call a line. */
const LINES_PER_WRITE = 64

/** A git that has ended, as published on the diagnostics channel `tidemark:git`. */
export interface TracedGit {
  readonly args: readonly string[]
  readonly folder: string
  readonly elapsedMs: number
  readonly ok: boolean
}

const traces = channel('tidemark:git')

const trace = <T>(folder: string, args: readonly string[], running: Promise<T>): Promise<T> =>
  traced(traces, running, (elapsedMs, answer): TracedGit => {
    return { args: args.map(redact), folder, elapsedMs, ok: answer !== undefined }
  })

/** simple-git refuses what could run a program. All of it is ours ({@link SAFE_CONFIG}) or in the user's environment. */
const TRUSTED_SETTINGS = Object.fromEntries(
  `Alias AskPass CommandBinaries ConfigEnvCount ConfigPaths CredentialHelper DiffExternal DiffTextConv Editor Exec Filter
  FsMonitor GitProxy GpgProgram HooksPath Include MergeDriver Pack Pager ProtocolOverride SshCommand Submodule TemplateDir
  UrlRewrite`
    .split(/\s+/)
    .map((name) => [`allowUnsafe${name}`, true]),
)

/** Has git's porcelain answer as text. @throws {GitError} when git fails, or the signal's reason. */
export async function localGit(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  input?: string,
): Promise<string> {
  signal.throwIfAborted()
  // Loaded only when needed: a remote source with nothing new does not need it.
  const { simpleGit } = await import('simple-git')
  // To start a process takes milliseconds. A database that is being opened gets its first message before.
  await setImmediate()
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

/** What must not outlive this process. */
const running = new Set<{ kill(signal: NodeJS.Signals): unknown }>()
process.once('exit', () => running.forEach((child) => void child.kill('SIGKILL')))

export interface GitOptions {
  /** Lines for its standard input, pulled as git reads them. */
  readonly input?: Iterable<string> | AsyncIterable<string> | undefined
  /** Has `ask` instead: what it reads next depends on what it has answered. It ends when it is stopped. */
  readonly asks?: boolean
  /** That it may talk to; none by default. */
  readonly server?: Address
  /** Prints on standard error each packet of git's protocol, or what is asked and answered by HTTP; no credentials. */
  readonly trace?: 'PACKET' | 'CURL'
}

/** Starts git on a repository, to read its output as it comes. */
export async function startGit(
  folder: string,
  args: readonly string[],
  signal: AbortSignal,
  { input, asks = false, server, trace: traced }: GitOptions = {},
) {
  const { execa } = await import('execa')
  const env = gitEnvironment(folder, server)
  if (server) Object.assign(env, await sshEnvironment(folder, server, env))
  if (traced) Object.assign(env, { [`GIT_TRACE_${traced}`]: '2', GIT_TRACE_CURL_NO_DATA: '1', GIT_TRACE_REDACT: '1' })
  const child = execa('git', [...SAFE_CONFIG.flatMap((setting) => ['-c', setting]), '-C', folder, ...args], {
    env,
    cancelSignal: signal,
    killDescendants: true,
    // It would listen for signals, and end a caller whose own handler was `once`.
    cleanup: false,
    forceKillAfterDelay: KILL_AFTER_MS,
    buffer: { stdout: false },
    encoding: 'buffer',
    stdin: input ? joinLines(input) : asks ? 'pipe' : 'ignore',
  })
  // A helper that does not mind SIGTERM may outlive git.
  child.nodeChildProcess.once('exit', () => signal.aborted && groupExists(child.pid!) && child.kill('SIGKILL'))
  const ended: Promise<{ readonly stderr: Uint8Array }> = trace(folder, args, child)
  // Readers of the stream meet a failure first; until the promise is awaited, its rejection is not unhandled.
  running.add(child)
  ended.catch(() => {}).finally(() => running.delete(child))
  // What it can't be asked any more is told by its end.
  child.stdin?.on('error', () => {})
  return {
    output: child.stdout as AsyncIterable<Buffer>,
    /** Resolves when git has ended well, and rejects when it has failed, also by the signal. */
    ended,
    ask: (text: string) => void child.stdin!.write(text),
    /** Ends git where it still runs, and waits for it. */
    async stop() {
      const { exitCode, signalCode } = child.nodeChildProcess
      if (asks) child.stdin!.end()
      else if (exitCode === null && signalCode === null) child.kill()
      // Output that nobody reads any more would keep git from ending.
      child.stdout.destroy()
      await ended.catch(() => {})
    },
  }
}

/** Runs git to its end, and has what it printed. @throws the error of git, or the signal's reason. */
export async function readGit(...[folder, args, signal, options]: Parameters<typeof startGit>) {
  const git = await startGit(folder, args, signal, options)
  const output = await Array.fromAsync(git.output)
  const { stderr } = await git.ended
  return { stdout: Buffer.concat(output).toString(), stderr: Buffer.from(stderr).toString() }
}

/** The kernel keeps the number of a group from others only as long as one of the group is there. */
function groupExists(leaderPid: number): boolean {
  try {
    return process.kill(-leaderPid, 0)
  } catch {
    return false
  }
}

async function* joinLines(lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  let joined: string[] = []
  for await (const line of lines) {
    if (joined.push(`${line}\n`) < LINES_PER_WRITE) continue
    yield joined.join('')
    joined = []
  }
  if (joined.length > 0) yield joined.join('')
}
