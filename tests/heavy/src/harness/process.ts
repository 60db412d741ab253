import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { SyncResult } from '@tidemark/sync-core'
import { trackPeakMb } from './memory.ts'

/** The built command, as `npx tidemark` runs it. */
export const TIDEMARK = [
  process.execPath,
  fileURLToPath(new URL('bin/tidemark.js', import.meta.resolve('tidemark/package.json'))),
] as const

export type CommandLine = readonly [string, ...string[]]

export interface ProcessOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  /** SIGKILL after it, as cron jobs and runners do; what the process has started lives on and ends by itself. */
  readonly killAfterMs?: number
  readonly onLine?: (line: string) => void
}

/** Starts a command, whose whole process group ends when the signal is aborted. */
export function startProcess([command, ...args]: CommandLine, options: ProcessOptions) {
  const { cwd, env, killAfterMs, signal, onLine } = options
  const startMs = performance.now()
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const killGroup = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
  signal.addEventListener('abort', killGroup)
  let killed = false
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => (killed = child.kill('SIGKILL')), killAfterMs)
  const lines: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => {
    if (onLine) onLine(line)
    else lines.push(line)
  })
  const ended = once(child, 'close').then(([exitCode, exitSignal]) => {
    clearTimeout(timer)
    signal.removeEventListener('abort', killGroup)
    const end = { exitCode, exitSignal } as { exitCode: number | null; exitSignal: NodeJS.Signals | null }
    return { ...end, killed, ms: performance.now() - startMs, stdout: lines.join('\n') }
  })
  return { child, ended }
}

/** Runs a command that has to succeed. @throws where it exits with anything but 0. */
export async function runProcess(command: CommandLine, options: ProcessOptions) {
  const ended = await startProcess(command, options).ended
  options.signal.throwIfAborted()
  if (ended.exitCode !== 0) throw new Error(`${command.join(' ')} exited with ${ended.exitCode}`)
  return ended
}

/** Frees the leases of these sources, whose holders are dead, though perhaps not for as long as an age would ask for. */
export const freeLeases = (sourceIds: readonly string[], options: ProcessOptions) =>
  runProcess(
    [...TIDEMARK, 'sync', '--force-break-lock', '--quiet', ...sourceIds.flatMap((id) => ['--source', id])],
    options,
  )

/** Runs a measurement in a process of its own, so that memory, event loop and modules are its own. @returns its JSON. */
export async function runMeasurement<Figures>(
  program: URL,
  args: readonly (string | number)[],
  signal: AbortSignal,
): Promise<Figures> {
  const { stdout } = await runProcess([process.execPath, fileURLToPath(program), ...args.map(String)], { signal })
  return JSON.parse(stdout)
}

/** Runs `tidemark … --json`, or a script's line that does. */
export async function runTidemark(command: CommandLine, options: ProcessOptions) {
  const startMs = performance.now()
  const { child, ended } = startProcess(command, options)
  const [{ stdout, ...end }, peakMb] = await Promise.all([ended, trackPeakMb(child.pid!)])
  const results: SyncResult[] = stdout === '' ? [] : (JSON.parse(stdout).results ?? [])
  return { ...end, startMs, peakMb, results }
}
