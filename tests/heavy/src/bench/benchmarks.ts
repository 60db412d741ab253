/**
 * The benchmarks of all packages, ours beside a baseline and our peers: `lock` beside other locks on one Postgres, `sync`
 * on real repositories beside the same rows written in bulk, the `command` beside a `node` that does nothing, and
 * `langchain`, the sync beside LangChain's `index()`.
 *
 * They run one after the other, and within each of them those that are compared take turns, so that a noisy machine is
 * as noisy for all. What is measured runs in a process of its own (each `measure.ts`) where memory and what is loaded
 * count. The JSON has every figure; each subject is shown as a table.
 */
import type { Check, Harness, Report } from '../harness/harness.ts'
import { renderTerminal, type Table } from '../harness/tables.ts'
import { benchCommand, type CommandFigures, type CommandSettings, commandTable } from './bench-command.ts'
import {
  benchLangchain,
  type LangchainFigures,
  type LangchainSettings,
  langchainTable,
} from './langchain/bench-langchain.ts'
import { benchLock, type LockSettings, lockTable } from './lock/bench-lock.ts'
import type { LockFigures } from './lock/measure.ts'
import { benchSync, type SyncFigures, type SyncSettings, syncTable } from './sync/bench-sync.ts'

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
  lock: { rounds: 6, acquisitions: 25, handoffRounds: 3, snapshotRounds: 1, checksTimes: false },
  sync: { corpora: ['vite'], engines: ['postgres'], rounds: 1, stops: 10, maxBudgetMs: 200 },
  command: { runs: 3 },
  langchain: { corpus: 'vite', sizes: [84], rounds: 1 },
}

/** Where `TIDEMARK_CORPORA` names a folder of bundles, on those; else on the demonstration's pages. */
export const FULL_BENCH: Required<BenchSettings> = {
  lock: { rounds: 60, acquisitions: 25, handoffRounds: 12, snapshotRounds: 5, checksTimes: true },
  sync: {
    corpora: process.env.TIDEMARK_CORPORA ? ['rfcs', 'tldr'] : ['vite'],
    engines: ['postgres', 'pglite'],
    rounds: 3,
    stops: 200,
    maxBudgetMs: 1_000,
  },
  command: { runs: 15 },
  langchain: process.env.TIDEMARK_CORPORA
    ? { corpus: 'tldr', sizes: [1_000, 10_000], rounds: 3 }
    : { corpus: 'vite', sizes: [42, 84], rounds: 3 },
}

export async function benchmarks(settings: BenchSettings, harness: Harness): Promise<Report<BenchFigures>> {
  const tables: Table[] = []
  const checks: Check[] = []
  const collect = async <Figures>(report: Promise<Report<Figures>>, renderTable: (figures: Figures) => Table) => {
    const { figures, checks: found } = await report
    tables.push(renderTable(figures))
    checks.push(...found)
    return figures
  }
  const { lock, sync, command, langchain } = settings
  const figures = {
    ...(lock && { lock: await collect(benchLock(lock, harness), lockTable) }),
    ...(sync && { sync: await collect(benchSync(sync, harness), syncTable) }),
    ...(command && { command: await collect(benchCommand(command, harness), commandTable) }),
    ...(langchain && { langchain: await collect(benchLangchain(langchain, harness), langchainTable) }),
  }
  for (const table of tables) harness.log(`\n${renderTerminal(table)}`)
  return { figures, checks }
}
