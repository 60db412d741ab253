/** Measurements in a process of its own, so that memory and event loop are its own: what, database, repository. */
import { setFlagsFromString } from 'node:v8'
import { migrate, openDatabase, type SyncOptions, type SyncResult, syncSource } from '../src/index.ts'
import { floor } from './floor.ts'

// As the command has it, for the floor too.
setFlagsFromString('--semi-space-growth-factor=1')

const [what = '', url = '', repo = '', rounds = '1', longestMs = '0'] = process.argv.slice(2)
const db = await openDatabase(url)
await migrate(db)

// What the main thread computes between two turns of its loop. Its own time and not the clock's: on a busy machine a
// clock tells mostly of the others.
let longestHoldMs = 0
let used = process.threadCpuUsage()
const sampler = setInterval(() => {
  const { user, system } = process.threadCpuUsage(used)
  used = process.threadCpuUsage()
  longestHoldMs = Math.max(longestHoldMs, (user + system) / 1000)
}, 1)

const timed = async <T>(work: () => Promise<T>): Promise<T & { ms: number }> => {
  const started = performance.now()
  const outcome = await work()
  return { ...outcome, ms: performance.now() - started }
}
const sync = (options: SyncOptions = {}) =>
  timed(async () => {
    const result = await syncSource(db, { id: 'bench', repo, ref: 'main' }, options)
    if (result.status === 'failed') throw new Error(result.error.message)
    return { ...result, pages: result.filesImported + result.filesUpdated + result.filesRenamed }
  })

/** Stops the import of a source again and again, anew whenever it is complete. */
async function stops(): Promise<object> {
  const overshootsMs: number[] = []
  let [blobsRead, stored, stopped] = [0, 0, 0]
  const count = (result: SyncResult & { pages: number }) => {
    blobsRead += result.blobsRead
    stored += result.pages
  }
  for (let round = 0; round < Number(rounds); round++) {
    const budgetMs = 20 + Math.round(Math.random() * Number(longestMs))
    const result = await sync({ budgetMs })
    count(result)
    if (result.status === 'partial') {
      overshootsMs.push(result.ms - budgetMs)
      stopped++
    } else await db.query('TRUNCATE tidemark.sources, tidemark.pages, tidemark.chunks, tidemark.links')
  }
  return { overshootsMs, blobsTwicePerStop: (blobsRead - stored) / Math.max(1, stopped) }
}

const measures: Record<string, () => Promise<object>> = {
  floor: () => timed(async () => ({ pages: await floor(db, repo) })),
  sync: () => sync(),
  compare: () => sync({ retryQuarantined: true }),
  full: () => sync({ full: true }),
  stops,
}
const figures = await measures[what]!()
clearInterval(sampler)
const megabytes = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ ...figures, megabytes, longestHoldMs }))
await db.close()
