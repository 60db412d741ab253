import { join } from 'node:path'
import type { Check, Part, Stage } from '../../ground/part.ts'
import { median, percentile } from '../../ground/percentile.ts'
import type { Corpus } from '../../sources/words.ts'
import { changeFiles, cloneOf } from '../corpus.ts'
import { type Engine, freshDatabases } from '../fresh-databases.ts'
import { measured } from '../measured.ts'
import type { Measured, Searches, Stops } from './measure.ts'

export interface SyncSettings {
  readonly corpora: readonly Corpus[]
  readonly engines: readonly Engine[]
  /** First imports, ours and the floor's in turns; of them the median counts. */
  readonly rounds: number
  /** How many runs are stopped by their budget. */
  readonly stops: number
  /** The longest of their budgets. */
  readonly longestStopMs: number
}

/** Of one corpus in one engine; milliseconds are those of the call, in a process that has its database open. */
export interface SyncFigures {
  readonly corpus: Corpus
  readonly engine: Engine
  readonly pages: number
  readonly firstMs: number
  readonly floorMs: number
  readonly noopMs: number
  readonly changesMs: number
  readonly compareMs: number
  readonly fullMs: number
  /** Of the index for search, after a first import. */
  readonly indexMs: number
  readonly searchP50Ms: number
  readonly searchP95Ms: number
  readonly peakMb: number
  readonly longestHoldMs: number
  readonly stops: number
  readonly overshootP99Ms: number
  readonly readTwicePerStop: number
}

/** Files of the change that is synced. */
export const CHANGED = 32
const SEARCHES = 200
/** What a search by words may take, at the 95th percentile. */
const SEARCH_MS = { postgres: 50, pglite: 150 }
/** A figure of so few milliseconds is the median of so many; what PGlite takes is its own. */
const NOOPS = { postgres: 3, pglite: 1 }

/** Times the sync on real repositories, beside the floor: the same rows from the same blobs, in bulk. */
export async function benchSync(settings: SyncSettings, stage: Stage): Promise<Part<readonly SyncFigures[]>> {
  const databases = freshDatabases(stage.ground, 'bench_sync')
  const figures: SyncFigures[] = []
  for (const corpus of settings.corpora) {
    for (const engine of settings.engines) {
      const database = () => databases(engine)
      figures.push(await figuresOf({ corpus, engine, database }, settings, stage))
    }
  }
  return { figures, checks: figures.flatMap(checksOf) }
}

async function figuresOf(
  { corpus, engine, database }: Pick<SyncFigures, 'corpus' | 'engine'> & { database(): Promise<string> },
  { rounds, stops, longestStopMs }: SyncSettings,
  { ground, seed, tell }: Stage,
): Promise<SyncFigures> {
  const repo = await cloneOf(corpus, join(ground.folder, engine))
  const measure = <T>(what: string, url: string, ...numbers: number[]) => {
    tell(`sync: ${corpus} on ${engine}: ${what}`)
    return measured<T>(new URL('measure.ts', import.meta.url), [what, url, repo, ...numbers], ground.signal)
  }
  const first: Measured[] = []
  const floors: Measured[] = []
  let url = ''
  for (let round = 0; round < rounds; round++) {
    floors.push(await measure('floor', await database()))
    url = await database()
    first.push(await measure('sync', url))
  }
  const index = await measure<Measured>('searchable', url)
  const { searchMs } = await measure<Searches>('search', url, SEARCHES, seed)
  const noops: Measured[] = []
  for (let n = 0; n < NOOPS[engine]; n++) noops.push(await measure('sync', url))
  await changeFiles(repo, CHANGED)
  const changed = await measure<Measured>('searchable', url)
  const compare = await measure<Measured>('compare', url)
  const full = await measure<Measured>('full', url)
  const firstMs = median(first.map(({ ms }) => ms))
  const stopped = await measure<Stops>(
    'stops',
    await database(),
    stops,
    // Most of them before the import is through.
    Math.min(firstMs * 0.6, longestStopMs),
    seed,
  )
  const runs = [...first, index, ...noops, compare, changed, full]
  return {
    corpus,
    engine,
    pages: first[0]!.pages,
    firstMs,
    floorMs: median(floors.map(({ ms }) => ms)),
    noopMs: median(noops.map(({ ms }) => ms)),
    changesMs: changed.ms,
    compareMs: compare.ms,
    fullMs: full.ms,
    indexMs: index.ms,
    searchP50Ms: median(searchMs),
    searchP95Ms: percentile(searchMs, 0.95),
    peakMb: Math.max(...runs.map(({ peakMb }) => peakMb)),
    longestHoldMs: Math.max(...[...runs, stopped].map(({ longestHoldMs }) => longestHoldMs)),
    stops,
    overshootP99Ms: percentile(stopped.overshootsMs, 0.99),
    readTwicePerStop: stopped.readTwicePerStop,
  }
}

/** With fewer pages, what a process does once is most of what a first import takes. */
const PAGES_TO_COMPARE = 500

function checksOf({ corpus, engine, pages, ...figures }: SyncFigures): Check[] {
  const { firstMs, floorMs, noopMs, overshootP99Ms, stops, searchP95Ms } = figures
  const where = `${corpus} on ${engine}`
  const checks: Check[] = [
    {
      promise: `past its budget a run is over within 250 ms: ${where}`,
      kept: overshootP99Ms <= 250,
      seen: `${Math.round(overshootP99Ms)} ms at the 99th percentile of ${stops}`,
    },
    {
      promise: `a search by words takes at most ${SEARCH_MS[engine]} ms: ${where}`,
      kept: searchP95Ms <= SEARCH_MS[engine],
      seen: `${searchP95Ms.toFixed(1)} ms at the 95th percentile of ${SEARCHES}`,
    },
    {
      promise: `a sync that finds nothing new takes at most 100 ms: ${where}`,
      kept: noopMs <= 100,
      seen: `${Math.round(noopMs)} ms`,
    },
  ]
  if (pages >= PAGES_TO_COMPARE) {
    checks.push({
      promise: `a first import takes at most twice the floor: ${where}`,
      kept: firstMs <= 2 * floorMs,
      seen: `${(firstMs / floorMs).toFixed(2)} ×`,
    })
  }
  return checks
}
