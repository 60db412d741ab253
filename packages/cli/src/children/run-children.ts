import { fileURLToPath } from 'node:url'
import { emptyResult, type Source } from '@tidemark/sync-core'
import { execa, type Result } from 'execa'
import pMap from 'p-map'
import type { Failure } from '../output/json-outputs.ts'
import type { AnyProgress } from '../output/log-event.ts'
import type { ProgressDisplay } from '../output/progress.ts'
import type { CliSyncResult } from '../output/results.ts'
import { packageFolder } from '../package.ts'

const BIN = fileURLToPath(new URL('bin/tidemark.js', packageFolder))

/** What starting a process and giving back a lease may take on top of the budget before it is asked to end. */
const EXIT_GRACE_MS = 5_000
/** What it may take after that before it is killed. */
const KILL_AFTER_MS = 5_000
/** A timer waits for less than this. */
const MAX_TIMER_MS = 2 ** 31

interface ChildOptions {
  readonly args: readonly string[]
  /** Address of the database. */
  readonly database: string
  readonly budgetMs: number | undefined
  readonly verbose: boolean
  readonly display: ProgressDisplay
  /** Stops the processes that run, and starts no more. */
  readonly signal: AbortSignal
}

/**
 * Syncs each source in an operating-system process of its own, some at a time, so that one that crashes, hangs or
 * takes all of its memory takes no other with it.
 */
export function runChildren(
  sources: readonly Source[],
  { concurrency, ...options }: ChildOptions & { concurrency: number },
): Promise<CliSyncResult[]> {
  const { display, signal } = options
  const runOne = async ({ id }: Source) => {
    display.started(id)
    const cancelled = signal.aborted && emptyResult(id, { status: 'partial', reason: 'cancelled' })
    const result = cancelled || (await runChild(id, options))
    display.finished(result)
    return result
  }
  return pMap(sources, runOne, { concurrency })
}

/**
 * Syncs one source in a process of its own, with a result, whatever became of the process. It holds one
 * end of a pipe, so that it knows when this process is gone.
 */
async function runChild(source: string, options: ChildOptions): Promise<CliSyncResult> {
  const { args, database, budgetMs = MAX_TIMER_MS, verbose, display, signal } = options
  const started = performance.now()
  const limitMs = budgetMs + EXIT_GRACE_MS
  const running = execa(process.execPath, [BIN, 'sync', '--source', source, '--json', '--as-child', ...args], {
    // Not as an argument: those can be read by every user of the machine.
    env: { DATABASE_URL: database },
    stdio: ['ignore', 'pipe', verbose ? ['pipe', 'inherit'] : 'pipe', 'pipe'],
    ipc: true,
    buffer: { ipc: false },
    reject: false,
    cancelSignal: signal,
    timeout: limitMs < MAX_TIMER_MS ? limitMs : 0,
    forceKillAfterDelay: KILL_AFTER_MS,
  })
  running.nodeChildProcess.on('message', (message) => display.progress(message as AnyProgress))
  const ended = await running
  const elapsedMs = Math.round(performance.now() - started)
  const { results: [result] = [], error: failure } = parseOutput(ended.stdout)
  if (result !== undefined) {
    // It was sent SIGTERM because its time was over, and took that for the user's.
    const late = ended.timedOut && result.status === 'partial' && result.reason === 'cancelled'
    return late ? { ...result, reason: 'timeout' } : result
  }
  if (ended.isCanceled && !ended.isForcefullyTerminated)
    return emptyResult(source, { status: 'partial', reason: 'cancelled' }, elapsedMs)
  const error = describeCrash(source, ended, running.pid, failure)
  return emptyResult(source, { status: 'failed', reason: error.code.toLowerCase(), error }, elapsedMs)
}

/** What a process has printed; nothing where it came to no result. */
function parseOutput(stdout: string): { readonly results?: readonly CliSyncResult[]; readonly error?: Failure } {
  try {
    return JSON.parse(stdout)
  } catch {
    return {}
  }
}

type Ended = Pick<Result, 'timedOut' | 'isForcefullyTerminated' | 'signal' | 'exitCode'>

function describeCrash(
  source: string,
  { timedOut, isForcefullyTerminated, signal, exitCode }: Ended,
  pid: number | undefined,
  failure: Failure | undefined,
) {
  const kept = 'What it has stored is kept, and its lease is free within 90 s. '
  const alone = `tidemark sync --source ${source}`
  if (timedOut || isForcefullyTerminated) {
    return {
      code: 'PROCESS_HUNG',
      message: `its process ${pid} did not end in its time and was ${isForcefullyTerminated ? 'killed' : 'ended'}`,
      hint: `${kept}To see what it waits for, run it alone: ${alone} --verbose`,
    }
  }
  if (signal !== undefined) {
    return {
      code: 'PROCESS_KILLED',
      message: `its process ${pid} was killed by ${signal}`,
      hint: `${kept}${signal === 'SIGKILL' ? 'Often that is the machine being out of memory.' : 'Run it again.'}`,
    }
  }
  return {
    code: 'PROCESS_FAILED',
    message: failure?.message ?? `its process ${pid} ended with exit code ${exitCode}`,
    hint: failure?.hint ?? `${kept}Run it alone: ${alone}`,
  }
}
