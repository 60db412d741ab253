import { type FigureTable, milliseconds } from '../../ground/figure-table.ts'
import type { Part, Stage } from '../../ground/part.ts'
import { freshDatabases } from '../fresh-databases.ts'
import { measured } from '../measured.ts'
import { LEASES } from './contender.ts'
import type { LockFigures } from './measure.ts'

export interface LockSettings {
  readonly rounds: number
  /** Of taking a key and giving it up, in each round. */
  readonly cycles: number
  readonly handOvers: number
}

/** Times `@tidemark/lock` beside its peers and beside its bare statements, on one Postgres. */
export async function benchLock(
  { rounds, cycles, handOvers }: LockSettings,
  { ground, tell }: Stage,
): Promise<Part<readonly LockFigures[]>> {
  tell('lock: four contenders take turns')
  const url = await freshDatabases(ground, 'bench_lock')('postgres')
  const program = new URL('measure.ts', import.meta.url)
  const figures = await measured<LockFigures[]>(program, [url, rounds, cycles, handOvers], ground.signal)
  const { cycleStatements, renewStatements } = figures[0]!
  return {
    figures,
    checks: [
      {
        promise: `taking a lease, giving it up and renewing ${LEASES} is one statement each`,
        kept: cycleStatements === 2 && renewStatements === 1,
        seen: `${cycleStatements} for taking and giving up, ${renewStatements} for renewing`,
      },
    ],
  }
}

export function lockTable(figures: readonly LockFigures[]): FigureTable {
  return {
    title: 'Lock: medians, on one Postgres',
    columns: figures.map(({ name }) => name),
    rows: [
      ['acquire + release', ...figures.map(({ cycleMs }) => milliseconds(cycleMs))],
      [`renew ${LEASES} leases`, ...figures.map(({ renewMs }) => milliseconds(renewMs))],
      ['hand-over to a waiter', ...figures.map(({ handOverMs }) => milliseconds(handOverMs))],
    ],
    notes: figures.map(({ name, lacks }) => `${name}: ${lacks}`),
  }
}
