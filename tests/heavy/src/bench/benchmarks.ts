/**
 * The benchmarks of all packages, ours beside a baseline and our peers: `lock` beside other locks on one Postgres, `sync`
 * on real repositories beside the same rows written in bulk, `links` of the same against the pages that there are, the `command` beside a `node`
 * that does nothing, and `watch` from the webhook of a push.
 *
 * They run one after the other, and within each of them those that are compared take turns, so that a noisy machine is
 * as noisy for all. What is measured runs in a process of its own (each `measure.ts`) where memory and what is loaded
 * count. The JSON has every figure; each subject is shown as a table.
 */
import type { Check, Harness } from '../harness/harness.ts'
import { benchCommand } from './bench-command.ts'
import { benchLinks } from './bench-links.ts'
import { benchWatch } from './bench-watch.ts'
import { benchLock } from './lock/bench-lock.ts'
import { benchSync } from './sync/bench-sync.ts'

const BENCHMARKS = { lock: benchLock, sync: benchSync, links: benchLinks, command: benchCommand, watch: benchWatch }

type Subject = keyof typeof BENCHMARKS
export const SUBJECTS = Object.keys(BENCHMARKS) as Subject[]

/** A subject that is not named is left out. */
export type BenchSettings = { readonly [Name in Subject]?: Parameters<(typeof BENCHMARKS)[Name]>[0] }

/** Half a minute: the demonstration's pages, each thing once; PGlite, which takes longer to open than that, not at all. */
export const BRIEF_BENCH: Required<BenchSettings> = {
  lock: { rounds: 6, acquisitions: 25, handoffRounds: 3, snapshotRounds: 1, checksTimes: false },
  sync: { corpora: ['vite'], engines: ['postgres'], rounds: 1, stops: 10, maxBudgetMs: 200 },
  links: { corpora: ['vite'] },
  command: { runs: 3, checksTimes: false },
  watch: { corpus: 'vite', engines: ['postgres'], pushes: 5, looks: 100, checksTimes: false },
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
  links: {
    corpora: process.env.TIDEMARK_CORPORA ? ['vue-zh', 'vite', 'zola', 'logseq', 'book', 'astro', 'rfcs'] : ['vite'],
  },
  command: { runs: 15, checksTimes: true },
  watch: {
    corpus: process.env.TIDEMARK_CORPORA ? 'tldr' : 'vite',
    engines: ['postgres', 'pglite'],
    pushes: 200,
    looks: 2_000,
    checksTimes: true,
  },
}

export async function benchmarks(settings: BenchSettings, harness: Harness) {
  const figures: { [Name in Subject]?: unknown } = {}
  const checks: Check[] = []
  const tables: string[] = []
  for (const subject of SUBJECTS) {
    if (!settings[subject]) continue
    const bench = BENCHMARKS[subject] as (settings: unknown, harness: Harness) => ReturnType<typeof benchSync>
    const report = await bench(settings[subject], harness)
    figures[subject] = report.figures
    checks.push(...report.checks)
    tables.push(report.table)
  }
  for (const table of tables) harness.log(`\n${table}`)
  return { figures, checks }
}
