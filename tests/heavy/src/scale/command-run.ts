import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SyncResult } from '@tidemark/sync-core'
import { execa } from 'execa'
import { TIDEMARK } from '../ground/tidemark.ts'

/** Where the command runs: a folder with a `tidemark.yaml`, and what is in its environment. */
export interface Home {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface CommandRun {
  /** From the start of the process to its end. */
  readonly ms: number
  /** The most memory that the process, without git's, had at once; on Linux only, else NaN. */
  readonly peakMb: number
  readonly results: readonly SyncResult[]
}

/** Starts `tidemark`; what becomes of it is the caller's. */
export function startTidemark(args: readonly string[], { cwd, env, signal }: Home) {
  return execa(process.execPath, [TIDEMARK, ...args], { cwd, env, cancelSignal: signal, stderr: 'inherit' })
}

/** Runs `tidemark … --json` to its end. */
export async function runTidemark(args: readonly string[], home: Home): Promise<CommandRun> {
  const started = performance.now()
  const running = startTidemark([...args, '--json'], home)
  const peak = peakOf(running.pid!)
  const { stdout } = await running
  const ms = performance.now() - started
  return { ms, peakMb: await peak, results: JSON.parse(stdout).results ?? [] }
}

/** Reads the kernel's own high-water mark until the process is gone, so that nothing between two looks is missed. */
async function peakOf(pid: number): Promise<number> {
  let kilobytes = Number.NaN
  for (;;) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    const mark = /^VmHWM:\s+(\d+) kB/m.exec(status)
    if (!mark) return kilobytes / 1024
    kilobytes = Number(mark[1])
    await sleep(20)
  }
}
