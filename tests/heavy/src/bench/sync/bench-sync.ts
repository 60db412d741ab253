import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { type Corpus, changeFiles, cloneCorpus } from '../../harness/corpus.ts'
import type { Check, Harness } from '../../harness/harness.ts'
import { runMeasurement } from '../../harness/process.ts'
import { median, percentile } from '../../harness/statistics.ts'
import { formatCount, formatMs, renderFigures } from '../../harness/tables.ts'
import {
  MAX_BASELINE_FACTOR,
  MAX_NOOP_MS,
  MAX_OVERSHOOT_MS,
  MAX_SEARCH_MS,
  MIN_PAGES_TO_COMPARE,
} from '../../harness/thresholds.ts'
import { checkAtMost, formatFactor } from '../check-at-most.ts'
import type { MeanwhileMeasurement, Measurement, SearchMeasurement, StopsMeasurement } from './measure.ts'

type Engine = 'postgres' | 'pglite'

export interface SyncSettings {
  readonly corpora: readonly Corpus[]
  readonly engines: readonly Engine[]
  /** First imports, ours and the baseline's in turns; of them the median counts. */
  readonly rounds: number
  /** How many runs are stopped by their budget. */
  readonly stops: number
  /** The longest of their budgets. */
  readonly maxBudgetMs: number
}

/** From so many pages on a server has the index written while the pages come in. */
const MIN_PAGES_TO_FOLLOW = 1_000
/** Files of the change that is synced. */
const CHANGED_FILES = 32
const SEARCHES = 200
/** A figure of so few milliseconds is the median of so many; PGlite's is large enough. */
const NOOPS = { postgres: 3, pglite: 1 }

/** Times the sync on real repositories, beside the baseline: the same rows from the same blobs, in bulk. */
export async function benchSync(settings: SyncSettings, harness: Harness) {
  const figures: SyncFigures[] = []
  for (const corpus of settings.corpora) {
    for (const engine of settings.engines) figures.push(await measureCorpus(corpus, engine, settings, harness))
  }
  return { figures, checks: figures.flatMap(checkSync), table: syncTable(figures) }
}

type SyncFigures = Awaited<ReturnType<typeof measureCorpus>>

/** Milliseconds are those of the call, in a process that has its database open. */
async function measureCorpus(corpus: Corpus, engine: Engine, settings: SyncSettings, harness: Harness) {
  const { rounds, stops, maxBudgetMs } = settings
  const { folder, signal, seed, log } = harness
  const repo = join(folder, engine, `${corpus}.git`)
  await cloneCorpus(corpus, repo)
  const measure = <T = Measurement>(what: string, url: string, ...numbers: number[]) => {
    log(`sync: ${corpus} on ${engine}: ${what}`)
    return runMeasurement<T>(new URL('measure.ts', import.meta.url), [what, url, repo, ...numbers], signal)
  }
  // Initialising an embedded database takes seconds, copying it a tenth.
  const template = join(folder, `bench_${corpus}_template`)
  if (engine === 'pglite') await measure('open', template)
  let created = 0
  const createDatabase = async () => {
    const name = `bench_${corpus}_${engine}_${++created}`
    if (engine === 'postgres') return harness.createDatabase(name)
    await cp(template, join(folder, name), { recursive: true })
    return join(folder, name)
  }
  const firsts: Measurement[] = []
  const indexes: Measurement[] = []
  const baselines: Measurement[] = []
  const indexBaselines: Measurement[] = []
  let url = ''
  for (let round = 0; round < rounds; round++) {
    const baselineUrl = await createDatabase()
    baselines.push(await measure('baseline', baselineUrl))
    indexBaselines.push(await measure('index baseline', baselineUrl))
    url = await createDatabase()
    firsts.push(await measure('sync', url))
    indexes.push(await measure('searchable', url))
  }
  const { searchMs } = await measure<SearchMeasurement>('search', url, SEARCHES, seed)
  const { pages } = firsts[0]!
  const searchMeanwhile = async () => {
    const empty = await createDatabase()
    await measure('open', empty)
    const [searched] = await Promise.all([
      measure<MeanwhileMeasurement>('search meanwhile', empty),
      measure('searchable', empty),
    ])
    return { p95Ms: percentile(searched.searchMs, 0.95), firstFoundMs: searched.firstFoundMs }
  }
  const meanwhile = engine === 'postgres' && pages >= MIN_PAGES_TO_FOLLOW ? await searchMeanwhile() : null
  const noops: Measurement[] = []
  for (let n = 0; n < NOOPS[engine]; n++) noops.push(await measure('sync', url))
  await changeFiles(repo, CHANGED_FILES)
  const changes = await measure('searchable', url)
  const compare = await measure('compare', url)
  const full = await measure('full', url)
  const firstMs = median(firsts.map(({ ms }) => ms))
  const indexMs = median(indexes.map(({ ms }) => ms))
  // Most of the stops come before the import is through.
  const budgetMs = Math.min(firstMs * 0.6, maxBudgetMs)
  const stopped = await measure<StopsMeasurement>('stops', await createDatabase(), stops, budgetMs, seed)
  const runs = [...firsts, ...indexes, ...noops, compare, changes, full]
  return {
    corpus,
    engine,
    pages,
    firstMs,
    baselineMs: median(baselines.map(({ ms }) => ms)),
    noopMs: median(noops.map(({ ms }) => ms)),
    changesMs: changes.ms,
    compareMs: compare.ms,
    fullMs: full.ms,
    /** Of the index for search, after a first import. */
    indexMs,
    indexBaselineMs: median(indexBaselines.map(({ ms }) => ms)),
    searchableMs: firstMs + indexMs,
    searchP50Ms: median(searchMs),
    searchP95Ms: percentile(searchMs, 0.95),
    meanwhile,
    peakMb: Math.max(...runs.map(({ peakMb }) => peakMb)),
    longestBlockMs: Math.max(...[...runs, stopped].map(({ longestBlockMs }) => longestBlockMs)),
    stops,
    overshootP99Ms: percentile(stopped.overshootsMs, 0.99),
    readTwicePerStop: stopped.readTwicePerStop,
  }
}

function checkSync({ corpus, engine, pages, stops, ...figures }: SyncFigures): Check[] {
  const { firstMs, baselineMs, indexMs, indexBaselineMs, noopMs, overshootP99Ms, searchP95Ms, meanwhile } = figures
  const where = `${corpus} on ${engine}`
  const checks = [
    checkAtMost(`past the budget, p99 of ${stops}, ${where}`, overshootP99Ms, MAX_OVERSHOOT_MS, formatMs),
    checkAtMost(`search by words, p95 of ${SEARCHES}, ${where}`, searchP95Ms, MAX_SEARCH_MS[engine], formatMs),
    checkAtMost(`a sync that finds nothing new, ${where}`, noopMs, MAX_NOOP_MS[engine], formatMs),
  ]
  if (meanwhile) {
    const what = `search during a first sync, p95, ${where}`
    checks.push(checkAtMost(what, meanwhile.p95Ms, MAX_SEARCH_MS[engine], formatMs))
  }
  if (pages >= MIN_PAGES_TO_COMPARE) {
    const factor = firstMs / baselineMs
    checks.push(checkAtMost(`first import beside the baseline, ${where}`, factor, MAX_BASELINE_FACTOR, formatFactor))
    const indexFactor = indexMs / indexBaselineMs
    checks.push(checkAtMost(`its index beside the baseline, ${where}`, indexFactor, MAX_BASELINE_FACTOR, formatFactor))
  }
  return checks
}

function syncTable(figures: readonly SyncFigures[]): string {
  const title = 'Sync: real repositories, beside the baseline'
  const notes = [
    'the baseline: the same blobs, parser and rows in bulk inserts; no lock, plan, budget or resume',
    'its index: the same terms in one session, all sorted in at the end; no lock, comparison, budget or search meanwhile',
    'searchable: the import, then its index, one after the other',
    'during a first sync: a search each 50 ms from its beginning on, by another process on the same machine',
  ]
  return renderFigures({ title, notes }, figures, ({ corpus, engine }) => `${corpus}, ${engine}`, {
    pages: ({ pages }) => formatCount(pages),
    'first import': ({ firstMs }) => formatMs(firstMs),
    '  pages/s': ({ pages, firstMs }) => formatCount(pages / (firstMs / 1_000)),
    '  the baseline': ({ baselineMs }) => formatMs(baselineMs),
    '  × baseline': ({ firstMs, baselineMs }) => (firstMs / baselineMs).toFixed(2),
    'nothing new': ({ noopMs }) => formatMs(noopMs),
    [`${CHANGED_FILES} changes`]: ({ changesMs }) => formatMs(changesMs),
    'full compare': ({ compareMs }) => formatMs(compareMs),
    'full sync': ({ fullMs }) => formatMs(fullMs),
    'index for search': ({ indexMs }) => formatMs(indexMs),
    '  its baseline': ({ indexBaselineMs }) => formatMs(indexBaselineMs),
    '  × its baseline': ({ indexMs, indexBaselineMs }) => (indexMs / indexBaselineMs).toFixed(2),
    searchable: ({ searchableMs }) => formatMs(searchableMs),
    'search by words, median': ({ searchP50Ms }) => formatMs(searchP50Ms),
    'search by words, p95': ({ searchP95Ms }) => formatMs(searchP95Ms),
    'during a first sync: first found': ({ meanwhile }) => (meanwhile ? formatMs(meanwhile.firstFoundMs) : '-'),
    '  search, p95': ({ meanwhile }) => (meanwhile ? formatMs(meanwhile.p95Ms) : '-'),
    'peak MB': ({ peakMb }) => formatCount(peakMb),
    'longest block': ({ longestBlockMs }) => formatMs(longestBlockMs),
    [`past the budget, p99 of ${figures[0]!.stops}`]: ({ overshootP99Ms }) => formatMs(overshootP99Ms),
    'read twice a stop': ({ readTwicePerStop }) => readTwicePerStop.toFixed(1),
  })
}
