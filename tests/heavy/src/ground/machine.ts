import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'

/** On what, when and from which seed a run was made: stands in every report. */
export interface Machine {
  readonly date: string
  readonly commit: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly node: string
  readonly seed: number
}

export function machineWith(seed: number): Machine {
  return {
    date: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], { encoding: 'utf8' }).trim(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    seed,
  }
}
