import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Limited {
  readonly exitCode: number | null
  /** Whether the limit ended it. */
  readonly cut: boolean
}

export interface LimitedRun {
  readonly cwd?: string | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  /** SIGKILL after it; what the process has started lives on and ends by itself. Without it there is no limit. */
  readonly killAfterMs?: number | undefined
  readonly signal: AbortSignal
  /** Told of each line of standard output. */
  onLine(line: string): void
}

/** Runs a command that is killed hard at a limit, as cron jobs and runners are; a signal ends its whole process group. */
export async function runLimited(command: string, args: readonly string[], run: LimitedRun): Promise<Limited> {
  const { cwd, env, killAfterMs, signal } = run
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const endAll = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  let cut = false
  const limit = killAfterMs === undefined ? undefined : setTimeout(() => (cut = child.kill('SIGKILL')), killAfterMs)
  signal.addEventListener('abort', endAll)
  createInterface({ input: child.stdout }).on('line', (line) => run.onLine(line))
  const [exitCode] = await once(child, 'close')
  clearTimeout(limit)
  signal.removeEventListener('abort', endAll)
  return { exitCode, cut }
}
