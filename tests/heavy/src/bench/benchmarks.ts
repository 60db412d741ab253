import { type FigureTable, printed } from '../ground/figure-table.ts'
import type { Check, Part, Stage } from '../ground/part.ts'
import { benchCommand, type CommandFigures, type CommandSettings, commandTable } from './command/bench-command.ts'
import { benchLangchain, type LangchainFigures, type LangchainSettings } from './langchain/bench-langchain.ts'
import { langchainTable } from './langchain/langchain-table.ts'
import { benchLock, type LockSettings, lockTable } from './lock/bench-lock.ts'
import type { LockFigures } from './lock/measure.ts'
import { benchSync, type SyncFigures, type SyncSettings } from './sync/bench-sync.ts'
import { syncTable } from './sync/sync-table.ts'

/** A subject that is not named is left out. */
export interface BenchSettings {
  readonly lock?: LockSettings
  readonly sync?: SyncSettings
  readonly command?: CommandSettings
  readonly langchain?: LangchainSettings
}

export interface BenchFigures {
  readonly lock?: readonly LockFigures[]
  readonly sync?: readonly SyncFigures[]
  readonly command?: readonly CommandFigures[]
  readonly langchain?: readonly LangchainFigures[]
}

export const SUBJECTS = ['lock', 'sync', 'command', 'langchain'] as const

/** Half a minute: the demonstration's pages, each thing once; PGlite, which takes longer to open than that, not at all. */
export const BRIEF_BENCH: Required<BenchSettings> = {
  lock: { rounds: 6, acquisitions: 25, handoffRounds: 3, snapshotRounds: 1, timeLimits: false },
  sync: { corpora: ['vite'], engines: ['postgres'], rounds: 1, stops: 10, longestStopMs: 200 },
  command: { runs: 3 },
  langchain: { corpus: 'vite', sizes: [84], rounds: 1 },
}

/** Where `TIDEMARK_CORPORA` names a folder of bundles, on those; else on the demonstration's pages. */
export const FULL_BENCH: Required<BenchSettings> = {
  lock: { rounds: 60, acquisitions: 25, handoffRounds: 12, snapshotRounds: 5, timeLimits: true },
  sync: {
    corpora: process.env.TIDEMARK_CORPORA ? ['rfcs', 'tldr'] : ['vite'],
    engines: ['postgres', 'pglite'],
    rounds: 3,
    stops: 200,
    longestStopMs: 1_000,
  },
  command: { runs: 15 },
  langchain: process.env.TIDEMARK_CORPORA
    ? { corpus: 'tldr', sizes: [1_000, 10_000], rounds: 3 }
    : { corpus: 'vite', sizes: [42, 84], rounds: 3 },
}

/** The benchmarks of all packages, ours beside the floor's and the peers'; one after the other on a machine of its own. */
export async function benchmarks(settings: BenchSettings, stage: Stage): Promise<Part<BenchFigures>> {
  const checks: Check[] = []
  const figuresOf = <Figures>({ figures, checks: found }: Part<Figures>) => {
    checks.push(...found)
    return figures
  }
  const { lock, sync, command, langchain } = settings
  const figures = {
    ...(lock && { lock: figuresOf(await benchLock(lock, stage)) }),
    ...(sync && { sync: figuresOf(await benchSync(sync, stage)) }),
    ...(command && { command: figuresOf(await benchCommand(command, stage)) }),
    ...(langchain && { langchain: figuresOf(await benchLangchain(langchain, stage)) }),
  }
  for (const table of benchTables(figures)) stage.tell(`\n${printed(table)}`)
  return { figures, checks }
}

/** The figures for people: a table for each subject. */
function benchTables({ lock, sync, command, langchain }: BenchFigures): readonly FigureTable[] {
  return [
    ...(lock ? [lockTable(lock)] : []),
    ...(sync ? [syncTable(sync)] : []),
    ...(command ? [commandTable(command)] : []),
    ...(langchain ? [langchainTable(langchain)] : []),
  ]
}
