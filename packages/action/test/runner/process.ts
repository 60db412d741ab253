import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long a process has after each signal, before the next. */
const SIGNALS = [
  ['SIGINT', 7_500],
  ['SIGTERM', 2_500],
] as const

export interface ProcessOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Ends it: SIGINT, then SIGTERM, then its whole group is killed. */
  readonly signal: AbortSignal
  /** By which those times are multiplied. */
  readonly timeScale: number
  readonly onLine: (line: string) => void
}

/** Runs a process to its end. @returns its exit code; null where a signal has ended it */
export async function runProcess(command: string, args: readonly string[], options: ProcessOptions) {
  const { cwd, env, signal, timeScale, onLine } = options
  // A group of its own, so that its children can be killed with it.
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const exited = once(child, 'exit')
  const read = [child.stdout, child.stderr].map(async (input) => {
    for await (const line of createInterface({ input })) onLine(line)
  })
  const over = new AbortController()
  const cancel = async () => {
    for (const [name, graceMs] of SIGNALS) {
      child.kill(name)
      await sleep(graceMs * timeScale, undefined, { signal: over.signal })
    }
    process.kill(-child.pid!, 'SIGKILL')
  }
  const onAbort = () => void cancel().catch(() => {})
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const [code] = (await exited) as [number | null]
  over.abort()
  signal.removeEventListener('abort', onAbort)
  // A child that it has left behind may still hold its output.
  if (signal.aborted) killGroup(child.pid!)
  await Promise.all(read)
  return code
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}
