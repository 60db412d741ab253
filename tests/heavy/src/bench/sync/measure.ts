/**
 * One measurement of the sync, in a process of its own.
 *
 * Arguments: what is measured, address of the database, repository; of `stops` how many, the longest budget and the seed
 * as well, of `search` how many and the seed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { migrate, openDatabase, type SyncOptions, search, syncSource } from '@tidemark/sync-core'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { peakMbWithChildren } from '../../harness/memory.ts'
import { importBaseline } from './baseline.ts'
import { indexBaseline } from './index-baseline.ts'

/** What a measurement prints, beside what it may have of its own. */
export interface Measurement {
  readonly ms: number
  readonly pages: number
  readonly peakMb: number
  /** The longest that the main thread has computed between two turns of its event loop. */
  readonly longestBlockMs: number
}

export type SearchMeasurement = Awaited<ReturnType<typeof measureSearches>>
export type MeanwhileMeasurement = Awaited<ReturnType<typeof measureSearchesMeanwhile>>
export type StopsMeasurement = Awaited<ReturnType<typeof measureStops>> & Pick<Measurement, 'longestBlockMs'>

// As the command has it, for the baseline too.
setFlagsFromString('--semi-space-growth-factor=1')

const TABLES = ['sources', 'pages', 'chunks', 'links', 'search_pages', 'search_chunks']

const PAUSE_MS = 50
/** What pages about commands are searched for. */
const QUESTIONS = [
  'list files',
  'docker container',
  'compress archive',
  'git commit',
  'network interface',
  'print lines',
]

const [what = '', url = '', repo = '', ...numbers] = process.argv.slice(2)
const db = await openDatabase(url)
await migrate(db)
const longestBlockMs = watchEventLoop()
const MEASUREMENTS: Record<string, (...numbers: number[]) => Promise<object>> = {
  // An empty database that is migrated, which it is by now.
  open: async () => ({}),
  baseline: () => time(async () => ({ pages: await importBaseline(db, repo) })),
  // After that.
  'index baseline': () => time(async () => ({ pages: await indexBaseline(db) })),
  sync: () => sync(),
  searchable: () => sync({}),
  compare: () => sync({ retryQuarantined: true, search: false }),
  full: () => sync({ full: true, search: false }),
  search: measureSearches,
  'search meanwhile': measureSearchesMeanwhile,
  stops: measureStops,
}
const figures = await MEASUREMENTS[what]!(...numbers.map(Number))
console.log(JSON.stringify({ ...figures, peakMb: peakMbWithChildren(), longestBlockMs: longestBlockMs() }))
await db.close()

async function time<T>(work: () => Promise<T>): Promise<T & { ms: number }> {
  const startedAt = performance.now()
  const result = await work()
  return { ...result, ms: performance.now() - startedAt }
}

/** Without the index for search, unless that is what is measured: it comes after an import, and waits for no one. */
function sync(options: SyncOptions = { search: false }) {
  return time(async () => {
    const result = await syncSource(db, { id: 'bench', repo, ref: 'main' }, options)
    if (result.status === 'failed') throw new Error(result.error.message)
    return { ...result, pages: result.filesImported + result.filesUpdated + result.filesRenamed }
  })
}

/** Searches, one after another, for what people might: one to three words that follow each other on a page. */
async function measureSearches(count: number, seed: number) {
  const random = seededRandom(seed)
  const { rows } = await db.query<{ content: string }>(
    'SELECT content FROM tidemark.pages ORDER BY md5(path || $1) LIMIT $2',
    [String(seed), count],
  )
  const searchMs: number[] = []
  for (const { content } of rows) {
    const words = content.match(/[A-Za-z]{3,}/g) ?? ['nothing']
    const first = Math.floor(random() * words.length)
    const query = words.slice(first, first + 1 + Math.floor(random() * 3)).join(' ')
    searchMs.push((await time(() => search(db, query, { mode: 'text' }))).ms)
  }
  return { searchMs }
}

/** Searches every 50 ms from an empty database on, while another process syncs into it, until that is done. */
async function measureSearchesMeanwhile() {
  const searchMs: number[] = []
  let firstFoundMs: number | null = null
  const startedAt = performance.now()
  for (let done = false; !done; await sleep(PAUSE_MS)) {
    const question = QUESTIONS[searchMs.length % QUESTIONS.length]!
    const { ms, hits, warnings } = await time(() => search(db, question, { mode: 'text' }))
    searchMs.push(ms)
    if (hits.length > 0) firstFoundMs ??= performance.now() - startedAt
    done = hits.length > 0 && warnings.length === 0
  }
  return { searchMs, firstFoundMs: firstFoundMs! }
}

/** Stops the import of a source so many times, and begins it anew whenever it is complete. */
async function measureStops(count: number, maxBudgetMs: number, seed: number) {
  const random = seededRandom(seed)
  const overshootsMs: number[] = []
  let [blobsRead, stored] = [0, 0]
  while (overshootsMs.length < count) {
    const budgetMs = 20 + Math.round(random() * maxBudgetMs)
    const result = await sync({ budgetMs })
    blobsRead += result.blobsRead
    stored += result.pages
    const stopped = result.status === 'partial' || result.warnings.some(({ code }) => code === 'search_behind')
    if (stopped) overshootsMs.push(result.ms - budgetMs)
    else await db.query(`TRUNCATE ${TABLES.map((table) => `tidemark.${table}`)}`)
  }
  return {
    /** How long after its budget each of them was over. */
    overshootsMs,
    /** Blobs that were read and not stored, for each stop. */
    readTwicePerStop: (blobsRead - stored) / count,
  }
}

/** By the thread's own CPU time: on a busy machine the clock measures mostly what others do. */
function watchEventLoop(): () => number {
  let longestMs = 0
  let used = process.threadCpuUsage()
  const update = () => {
    const { user, system } = process.threadCpuUsage(used)
    used = process.threadCpuUsage()
    longestMs = Math.max(longestMs, (user + system) / 1_000)
  }
  setInterval(update, 1).unref()
  return () => longestMs
}
