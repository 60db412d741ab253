import { join } from 'node:path'
import { changeFiles, cloneCorpus } from '../../harness/corpus.ts'
import type { Check, Harness } from '../../harness/harness.ts'
import { runMeasurement } from '../../harness/process.ts'
import { median } from '../../harness/statistics.ts'
import { formatCount, formatMs, renderFigures } from '../../harness/tables.ts'
import { isFlat } from '../../harness/thresholds.ts'
import type { Measurement } from '../sync/measure.ts'

export interface LangchainSettings {
  readonly corpus: 'tldr' | 'vite'
  /** How many pages of it, from few to many: with two, growth is seen. */
  readonly sizes: readonly number[]
  readonly rounds: number
}

/** Files of the change that is synced. */
const CHANGED_FILES = 32

const OURS = new URL('../sync/measure.ts', import.meta.url)
const THEIRS = new URL('measure.ts', import.meta.url)

type Run = Pick<Measurement, 'ms' | 'pages' | 'peakMb'>

/**
 * Times the sync beside LangChain's `index()` on the same pages and Postgres. Theirs has the documents in memory before
 * the clock starts and stores a record of each, no page; ours reads git and stores pages, chunks and links.
 */
export async function benchLangchain({ corpus, sizes, rounds }: LangchainSettings, harness: Harness) {
  const { folder, signal, log, createDatabase } = harness
  const figures: LangchainFigures[] = []
  for (const size of sizes) {
    const runs = { ours: [] as Run[][], theirs: [] as Run[][] }
    for (let round = 1; round <= rounds; round++) {
      log(`langchain: ${corpus}, ${size} pages, round ${round} of ${rounds}`)
      const name = `bench_langchain_${size}_${round}`
      const repo = join(folder, name)
      await cloneCorpus(corpus, repo, size)
      const [ourUrl, theirUrl] = [await createDatabase(`${name}_ours`), await createDatabase(`${name}_theirs`)]
      const ours: Run[] = []
      const theirs: Run[] = []
      for (const changedFiles of [0, 0, CHANGED_FILES]) {
        if (changedFiles > 0) await changeFiles(repo, changedFiles)
        ours.push(await runMeasurement(OURS, ['sync', ourUrl, repo], signal))
        theirs.push(await runMeasurement(THEIRS, [theirUrl, repo], signal))
      }
      runs.ours.push(ours)
      runs.theirs.push(theirs)
    }
    figures.push(summarize('ours', runs.ours), summarize('LangChain', runs.theirs))
  }
  return { figures, checks: checkGrowth(figures), table: langchainTable(figures) }
}

type LangchainFigures = ReturnType<typeof summarize>

/** Medians of rounds of three runs: a first import, one that finds nothing new, and one that finds changes. */
function summarize(program: 'ours' | 'LangChain', rounds: readonly Run[][]) {
  const medianMs = (n: number) => median(rounds.map((runs) => runs[n]!.ms))
  return {
    program,
    pages: rounds[0]![0]!.pages,
    firstMs: medianMs(0),
    noopMs: medianMs(1),
    changesMs: medianMs(2),
    peakMb: median(rounds.map((runs) => Math.max(...runs.map(({ peakMb }) => peakMb)))),
  }
}

function checkGrowth(figures: readonly LangchainFigures[]): Check[] {
  const ours = figures.filter(({ program }) => program === 'ours')
  const [small, large] = [ours[0]!, ours.at(-1)!]
  if (small === large) return []
  const describe = ({ noopMs, pages }: LangchainFigures) => `${Math.round(noopMs)} ms of ${pages} pages`
  return [
    {
      check: 'what a sync takes that finds nothing new does not grow with the corpus',
      passed: isFlat(small.noopMs, large.noopMs),
      observed: `${describe(small)}, ${describe(large)}`,
    },
  ]
}

function langchainTable(figures: readonly LangchainFigures[]): string {
  const title = "Sync beside LangChain's index(), on Postgres"
  const notes = [
    'ours reads git, parses, stores pages, chunks and links; a run that is stopped goes on later, two exclude each',
    '  other; makes no embeddings',
    'LangChain has the documents in memory before the clock starts; hashes them, stores a record of each and no page,',
    '  its vector store keeps nothing; no git, chunks, links, budget or lock; knows what it recorded, not what is stored',
  ]
  return renderFigures({ title, notes }, figures, ({ program, pages }) => `${program}, ${formatCount(pages)} pages`, {
    'first import': ({ firstMs }) => formatMs(firstMs),
    '  pages/s': ({ firstMs, pages }) => formatCount(pages / (firstMs / 1_000)),
    'nothing new': ({ noopMs }) => formatMs(noopMs),
    [`${CHANGED_FILES} changes`]: ({ changesMs }) => formatMs(changesMs),
    'peak MB': ({ peakMb }) => formatCount(peakMb),
  })
}
