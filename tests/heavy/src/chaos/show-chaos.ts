import type { Machine } from '../ground/machine.ts'
import type { Part } from '../ground/part.ts'
import type { ChaosFigures } from './figures.ts'

/** What a run of chaos has to say, for a terminal. */
export function showChaos({ figures, checks }: Part<ChaosFigures>, machine: Machine): string {
  const { runs, violations, gitFaults, looks, ...rest } = figures
  const counted = { ...rest, ...gitFaults, ...looks, violations: violations.length }
  return [
    '',
    `${machine.date}, commit ${machine.commit}, ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, node ${machine.node}`,
    Object.entries(counted)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
    `runs: ${Object.entries(runs)
      .sort(([, a], [, b]) => b - a)
      .map(([end, count]) => `${count} ${end}`)
      .join(', ')}`,
    '',
    ...checks.map(({ promise, kept, seen }) => `${kept ? '✓' : '✗'} ${promise}: ${seen}`),
  ].join('\n')
}
