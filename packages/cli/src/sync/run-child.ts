import { fileURLToPath } from 'node:url'
import { emptyResult, redact } from '@tidemark/sync-core'
import { execa } from 'execa'
import { packageFolder } from '../package.ts'
import type { Problem } from '../problem/problem.ts'
import type { FromChild } from './follow-parent.ts'
import type { SyncLive } from './telling.ts'
import type { Told } from './told.ts'

const BIN = fileURLToPath(new URL('bin/tidemark.js', packageFolder))

/** What starting a process and giving back a lease may take on top of the budget before it is asked to end. */
const GRACE_MS = 5_000
/** What it may take after that before it is killed. */
const KILL_AFTER_MS = 5_000
/** Longer than a timer can wait. */
const NEVER_MS = 2 ** 31

export interface Child {
  readonly args: readonly string[]
  readonly database: string
  readonly budgetMs: number | undefined
  readonly verbose: boolean
  readonly live: SyncLive
  readonly signal: AbortSignal
}

/**
 * Syncs one source in a process of its own and tells how that ended, whatever became of the process. It holds one
 * end of a pipe, so that it knows when this process is gone.
 */
export async function runChild(source: string, child: Child): Promise<Told> {
  const { args, database, budgetMs = NEVER_MS, verbose, live, signal } = child
  const started = performance.now()
  const limitMs = budgetMs + GRACE_MS
  const running = execa(process.execPath, [BIN, 'sync', '--source', source, '--json', '--as-child', ...args], {
    // Not as an argument: those can be read by every user of the machine.
    env: { DATABASE_URL: database },
    stdio: ['ignore', 'pipe', verbose ? ['pipe', 'inherit'] : 'pipe', 'pipe'],
    ipc: true,
    buffer: { ipc: false },
    reject: false,
    cancelSignal: signal,
    timeout: limitMs < NEVER_MS ? limitMs : 0,
    forceKillAfterDelay: KILL_AFTER_MS,
  })
  running.nodeChildProcess.on('message', (message) => live.progress((message as FromChild).progress))
  const ended = await running
  const elapsedMs = Math.round(performance.now() - started)
  const told = resultIn(ended.stdout)
  if (told !== null) {
    // Asked to end because its time was over, it took that for a wish of the user's.
    const late = ended.timedOut && told.status === 'partial' && told.reason === 'cancelled'
    return late ? { ...told, reason: 'timeout' } : told
  }
  if (ended.isCanceled && !ended.isForcefullyTerminated)
    return emptyResult(source, { status: 'partial', reason: 'cancelled' }, elapsedMs)
  const error = faultOf(source, ended, running.pid)
  return emptyResult(source, { status: 'failed', reason: error.code.toLowerCase(), error }, elapsedMs)
}

function resultIn(stdout: string): Told | null {
  try {
    return JSON.parse(stdout).results[0]
  } catch {
    return null
  }
}

interface Ended {
  readonly timedOut: boolean
  readonly isForcefullyTerminated: boolean
  readonly signal?: string
  readonly exitCode?: number
  readonly stderr: string
}

function faultOf(
  source: string,
  { timedOut, isForcefullyTerminated, signal, exitCode, stderr }: Ended,
  pid: number | undefined,
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
  const told = lastProblemIn(redact(stderr))
  return {
    code: 'PROCESS_FAILED',
    message: told?.message ?? `its process ${pid} ended with exit code ${exitCode}`,
    hint: told?.nextStep ?? `${kept}Run it alone: ${alone}`,
  }
}

/** The problem that a process has told last; other lines, such as Node's own warnings, are not taken for one. */
function lastProblemIn(stderr: string): Problem | null {
  const told = [...stderr.matchAll(/^tidemark: (?!warning: )(.+)\n {2}(\S.*)$/gm)].at(-1)
  return told ? { message: told[1]!, nextStep: told[2]! } : null
}
