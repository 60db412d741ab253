import { join } from 'node:path'
import { changeFiles, cloneCorpus } from '../../harness/corpus.ts'
import type { Check, Harness, Report } from '../../harness/harness.ts'
import { runMeasurement } from '../../harness/process.ts'
import { median } from '../../harness/statistics.ts'
import { figureTable, formatCount, formatMs, type Table } from '../../harness/tables.ts'
import { isFlat } from '../../harness/thresholds.ts'
import { freshDatabases } from '../fresh-databases.ts'
import type { Measurement } from '../sync/measure.ts'

export interface LangchainSettings {
  readonly corpus: 'tldr' | 'vite'
  /** How many pages of it, from few to many: with two, growth is seen. */
  readonly sizes: readonly number[]
  readonly rounds: number
}

/** Medians of the rounds. */
export interface LangchainFigures {
  readonly pages: number
  readonly ours: Timings
  readonly theirs: Timings
}

interface Timings {
  readonly firstMs: number
  readonly noopMs: number
  readonly changesMs: number
  readonly peakMb: number
}

type Run = Pick<Measurement, 'ms' | 'pages' | 'peakMb'>

/** Files of the change that is synced. */
const CHANGED_FILES = 32

const OURS = new URL('../sync/measure.ts', import.meta.url)
const THEIRS = new URL('measure.ts', import.meta.url)

/**
 * Times the sync beside LangChain's `index()` on the same pages and Postgres. Theirs has the documents in memory before
 * the clock starts and stores a record of each, no page; ours reads git and stores pages, chunks and links.
 */
export async function benchLangchain(
  { corpus, sizes, rounds }: LangchainSettings,
  harness: Harness,
): Promise<Report<readonly LangchainFigures[]>> {
  const createDatabase = freshDatabases(harness, 'bench_langchain')
  const figures: LangchainFigures[] = []
  for (const size of sizes) {
    const timings: Record<'ours' | 'theirs', Timings[]> = { ours: [], theirs: [] }
    let pages = 0
    for (let round = 0; round < rounds; round++) {
      harness.log(`langchain: ${corpus}, ${size} pages, round ${round + 1} of ${rounds}`)
      const repo = join(harness.folder, `langchain-${size}-${round}.git`)
      await cloneCorpus(corpus, repo, size)
      const [ourUrl, theirUrl] = [await createDatabase('postgres'), await createDatabase('postgres')]
      const runBoth = async () => ({
        ours: await runMeasurement<Run>(OURS, ['sync', ourUrl, repo], harness.signal),
        theirs: await runMeasurement<Run>(THEIRS, [theirUrl, repo], harness.signal),
      })
      const [first, noop] = [await runBoth(), await runBoth()]
      await changeFiles(repo, CHANGED_FILES)
      const changes = await runBoth()
      for (const who of ['ours', 'theirs'] as const) {
        timings[who].push({
          firstMs: first[who].ms,
          noopMs: noop[who].ms,
          changesMs: changes[who].ms,
          peakMb: Math.max(...[first, noop, changes].map((run) => run[who].peakMb)),
        })
      }
      pages = first.ours.pages
    }
    figures.push({ pages, ours: medians(timings.ours), theirs: medians(timings.theirs) })
  }
  return { figures, checks: checkGrowth(figures) }
}

function medians(rounds: readonly Timings[]): Timings {
  const medianOf = (key: keyof Timings) => median(rounds.map((round) => round[key]))
  return {
    firstMs: medianOf('firstMs'),
    noopMs: medianOf('noopMs'),
    changesMs: medianOf('changesMs'),
    peakMb: medianOf('peakMb'),
  }
}

function checkGrowth(figures: readonly LangchainFigures[]): Check[] {
  const [small, large] = [figures[0]!, figures.at(-1)!]
  if (small === large) return []
  const describe = ({ ours, pages }: LangchainFigures) => `${Math.round(ours.noopMs)} ms of ${pages} pages`
  return [
    {
      check: 'what a sync takes that finds nothing new does not grow with the corpus',
      passed: isFlat(small.ours.noopMs, large.ours.noopMs),
      observed: `${describe(small)}, ${describe(large)}`,
    },
  ]
}

export function langchainTable(figures: readonly LangchainFigures[]): Table {
  const title = "Sync beside LangChain's index(), on Postgres"
  const notes = [
    'ours reads git, parses, stores pages, chunks and links; a run that is stopped goes on later, two exclude each',
    '  other; makes no embeddings',
    'LangChain has the documents in memory before the clock starts; hashes them, stores a record of each and no page,',
    '  its vector store keeps nothing; no git, chunks, links, budget or lock; knows what it recorded, not what is stored',
  ]
  const columns = figures.flatMap(({ pages, ours, theirs }) => [
    { name: `ours, ${formatCount(pages)} pages`, pages, ...ours },
    { name: `LangChain, ${formatCount(pages)}`, pages, ...theirs },
  ])
  return figureTable({ title, notes }, columns, ({ name }) => name, {
    'first import': ({ firstMs }) => formatMs(firstMs),
    '  pages/s': ({ firstMs, pages }) => formatCount(pages / (firstMs / 1_000)),
    'nothing new': ({ noopMs }) => formatMs(noopMs),
    [`${CHANGED_FILES} changes`]: ({ changesMs }) => formatMs(changesMs),
    'peak MB': ({ peakMb }) => formatCount(peakMb),
  })
}
