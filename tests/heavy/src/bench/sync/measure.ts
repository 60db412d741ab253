/**
 * One measurement of the sync, in a process of its own.
 *
 * Arguments: what is measured, address of the database, repository; of `stops` how many, the longest budget and the seed
 * as well, of `search` how many and the seed.
 */
import { setFlagsFromString } from 'node:v8'
import { migrate, openDatabase, type SyncOptions, search, syncSource } from '@tidemark/sync-core'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { floor } from './floor.ts'
import { peakMb } from './peak-mb.ts'
import { searchWords } from './search-words.ts'
import { watchLoop } from './watch-loop.ts'

/** What each of them leaves beside its own. */
export interface Measured {
  readonly ms: number
  readonly pages: number
  readonly peakMb: number
  /** The longest that the main thread has computed between two turns of its loop. */
  readonly longestHoldMs: number
}

export interface Searches {
  readonly searchMs: readonly number[]
}

export interface Stops {
  /** How long after its budget each of them was over. */
  readonly overshootsMs: readonly number[]
  /** Blobs that were read and not stored, for each stop. */
  readonly readTwicePerStop: number
  readonly longestHoldMs: number
}

// As the command has it, for the floor too.
setFlagsFromString('--semi-space-growth-factor=1')

const [what = '', url = '', repo = '', ...numbers] = process.argv.slice(2)
const db = await openDatabase(url)
await migrate(db)
const loop = watchLoop()

const timed = async <T>(work: () => Promise<T>): Promise<T & { ms: number }> => {
  const started = performance.now()
  const outcome = await work()
  return { ...outcome, ms: performance.now() - started }
}
/** Without the index for search, unless that is what is looked at: it comes after an import, and waits for no one. */
const sync = (options: SyncOptions = { search: false }) =>
  timed(async () => {
    const result = await syncSource(db, { id: 'bench', repo, ref: 'main' }, options)
    if (result.status === 'failed') throw new Error(result.error.message)
    return { ...result, pages: result.filesImported + result.filesUpdated + result.filesRenamed }
  })

const TABLES = ['sources', 'pages', 'chunks', 'links', 'search_pages', 'search_chunks']

/** Searches for words that pages have, one search after another. */
async function searches(wanted: number, seed: number) {
  const searchMs: number[] = []
  for (const words of await searchWords(db, wanted, seed)) {
    const { ms } = await timed(() => search(db, words, { mode: 'text' }))
    searchMs.push(ms)
  }
  return { searchMs }
}

/** Stops the import of a source so many times, and begins it anew whenever it is complete. */
async function stops(wanted: number, longestMs: number, seed: number) {
  const random = seededRandom(seed)
  const overshootsMs: number[] = []
  let [blobsRead, stored] = [0, 0]
  while (overshootsMs.length < wanted) {
    const budgetMs = 20 + Math.round(random() * longestMs)
    const result = await sync({ budgetMs })
    blobsRead += result.blobsRead
    stored += result.pages
    const stopped = result.status === 'partial' || result.warnings.some(({ code }) => code === 'search_behind')
    if (stopped) overshootsMs.push(result.ms - budgetMs)
    else await db.query(`TRUNCATE ${TABLES.map((table) => `tidemark.${table}`).join(', ')}`)
  }
  return { overshootsMs, readTwicePerStop: (blobsRead - stored) / wanted }
}

const measures: Record<string, (...numbers: number[]) => Promise<object>> = {
  // What has been done already: an empty database that is migrated.
  open: async () => ({}),
  floor: () => timed(async () => ({ pages: await floor(db, repo) })),
  sync: () => sync(),
  searchable: () => sync({}),
  compare: () => sync({ retryQuarantined: true, search: false }),
  full: () => sync({ full: true, search: false }),
  search: (wanted = 1, seed = 1) => searches(wanted, seed),
  stops: (wanted = 1, longestMs = 100, seed = 1) => stops(wanted, longestMs, seed),
}
const figures = await measures[what]!(...numbers.map(Number))
console.log(JSON.stringify({ ...figures, peakMb: peakMb(), longestHoldMs: loop.longestHoldMs() }))
await db.close()
