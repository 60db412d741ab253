import { join } from 'node:path'
import type { Check, Part, Stage } from '../../ground/part.ts'
import { median } from '../../ground/percentile.ts'
import { changeFiles, cloneOf } from '../corpus.ts'
import { freshDatabases } from '../fresh-databases.ts'
import { measured } from '../measured.ts'
import type { Indexed } from './measure.ts'

export interface LangchainSettings {
  readonly corpus: 'tldr' | 'vite'
  /** How many pages of it, from few to many: what grows with the corpus is seen by two. */
  readonly sizes: readonly number[]
  readonly rounds: number
}

/** Medians of the rounds. */
export interface LangchainFigures {
  readonly pages: number
  readonly ours: Timings
  readonly theirs: Timings
}

export interface Timings {
  readonly firstMs: number
  readonly noopMs: number
  readonly changesMs: number
  readonly peakMb: number
}

/** Files of the change that is synced. */
export const CHANGED = 32

const OURS = new URL('../sync/measure.ts', import.meta.url)
const THEIRS = new URL('measure.ts', import.meta.url)

/**
 * Times the sync beside LangChain's `index()` on the same pages and Postgres. Theirs has the documents in memory before
 * the clock starts and stores a record of each, no page; ours reads git and stores pages, chunks and links.
 */
export async function benchLangchain(
  { corpus, sizes, rounds }: LangchainSettings,
  { ground, tell }: Stage,
): Promise<Part<readonly LangchainFigures[]>> {
  const fresh = freshDatabases(ground, 'bench_langchain')
  const figures: LangchainFigures[] = []
  for (const size of sizes) {
    const all: Record<'ours' | 'theirs', Timings[]> = { ours: [], theirs: [] }
    let pages = 0
    for (let round = 0; round < rounds; round++) {
      tell(`langchain: ${corpus}, ${size} pages, round ${round + 1} of ${rounds}`)
      const repo = await cloneOf(corpus, join(ground.folder, `langchain-${round}`), size)
      const [ourUrl, theirUrl] = [await fresh('postgres'), await fresh('postgres')]
      const both = async () => ({
        ours: await measured<Indexed>(OURS, ['sync', ourUrl, repo], ground.signal),
        theirs: await measured<Indexed>(THEIRS, [theirUrl, repo], ground.signal),
      })
      const [first, noop] = [await both(), await both()]
      await changeFiles(repo, CHANGED)
      const changes = await both()
      for (const who of ['ours', 'theirs'] as const) {
        all[who].push({
          firstMs: first[who].ms,
          noopMs: noop[who].ms,
          changesMs: changes[who].ms,
          peakMb: Math.max(...[first, noop, changes].map((each) => each[who].peakMb)),
        })
      }
      pages = first.ours.pages
    }
    figures.push({ pages, ours: medians(all.ours), theirs: medians(all.theirs) })
  }
  return { figures, checks: checksOf(figures) }
}

function medians(rounds: readonly Timings[]): Timings {
  const of = (key: keyof Timings) => median(rounds.map((each) => each[key]))
  return { firstMs: of('firstMs'), noopMs: of('noopMs'), changesMs: of('changesMs'), peakMb: of('peakMb') }
}

function checksOf(figures: readonly LangchainFigures[]): Check[] {
  const [small, large] = [figures[0]!, figures.at(-1)!]
  if (small === large) return []
  return [
    {
      promise: 'what a sync takes that finds nothing new does not grow with the corpus',
      kept: large.ours.noopMs <= 1.5 * small.ours.noopMs + 50,
      seen: `${Math.round(small.ours.noopMs)} ms of ${small.pages} pages, ${Math.round(large.ours.noopMs)} ms of ${large.pages}`,
    },
  ]
}
