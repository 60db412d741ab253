import { spawn } from 'node:child_process'
import { EventEmitter, on, once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { type Corpus, changeFiles, cloneCorpus } from '../harness/corpus.ts'
import { gitIn } from '../harness/git.ts'
import type { Harness } from '../harness/harness.ts'
import { peakMbOf } from '../harness/memory.ts'
import { TIDEMARK } from '../harness/process.ts'
import { percentile } from '../harness/statistics.ts'
import { formatMb, formatMs, renderFigures } from '../harness/tables.ts'
import { MAX_PEAK_MB, MAX_SEARCHABLE_MS, MAX_STORED_MS } from '../harness/thresholds.ts'
import { checkAtMost } from './check-at-most.ts'

export interface WatchSettings {
  readonly corpus: Corpus
  readonly engines: readonly ('postgres' | 'pglite')[]
  readonly pushes: number
  /** Looks that find nothing new, after which memory is read. */
  readonly looks: number
  readonly checksTimes: boolean
}

const MAX_CHANGED_FILES = 20
const SECRET = 'of the bench'

/** Who keeps the source fresh: so many processes, on a server or an embedded database, which is one process's. */
const SETUPS = [
  { setup: 'Postgres', engine: 'postgres', replicas: 1 },
  { setup: 'Postgres, three replicas', engine: 'postgres', replicas: 3 },
  { setup: 'PGlite', engine: 'pglite', replicas: 1 },
] as const

/** Measures from the webhook of a push until its pages are stored, and until they are found: process, fetch and all. */
export async function benchWatch({ corpus, engines, pushes, looks, checksTimes }: WatchSettings, harness: Harness) {
  const figures = []
  for (const { setup, engine, replicas } of SETUPS) {
    if (!engines.includes(engine)) continue
    harness.log(`watch: ${pushes} pushes, ${setup}`)
    const name = setup.replaceAll(/\W+/g, '_').toLowerCase()
    const cwd = join(harness.folder, `watch_${name}`)
    await mkdir(cwd)
    const repo = join(cwd, 'source.git')
    await cloneCorpus(corpus, repo)
    await gitIn(repo).raw('config', 'uploadpack.allowFilter', 'true')
    const url = engine === 'postgres' ? await harness.createDatabase(`bench_watch_${name}`) : join(cwd, 'db')
    // JSON is YAML. As from a server: what is on this machine would be noticed without a hook.
    const sources = { docs: { repo: pathToFileURL(repo).href } }
    await writeFile(join(cwd, 'tidemark.yaml'), JSON.stringify({ hooks: { generic: SECRET }, sources }))
    await using watches = await startWatches(replicas, { cwd, url })
    const measured = await measurePushes(watches, { repo, pushes, seed: harness.seed })
    figures.push({ setup, engine, ...measured, peakMb: await measureLooks(watches, looks) })
  }
  const table = renderFigures(
    { title: 'Watch: from the webhook of a push', notes: [] },
    figures,
    ({ setup }) => setup,
    {
      'stored, p50': ({ storedMs }) => formatMs(percentile(storedMs, 0.5)),
      'stored, p95': ({ storedMs }) => formatMs(percentile(storedMs, 0.95)),
      'searchable, p50': ({ searchableMs }) => formatMs(percentile(searchableMs, 0.5)),
      'searchable, p95': ({ searchableMs }) => formatMs(percentile(searchableMs, 0.95)),
      [`memory after ${looks} looks`]: ({ peakMb }) => formatMb(peakMb),
    },
  )
  const checks = figures.flatMap(({ setup, engine, storedMs, searchableMs, peakMb }) => [
    // Beside an embedded database V8's heap is left to itself.
    ...(engine === 'postgres' ? [checkAtMost(`memory of a process, ${setup}`, peakMb, MAX_PEAK_MB, formatMb)] : []),
    checkAtMost(`a push is stored, p95, ${setup}`, percentile(storedMs, 0.95), MAX_STORED_MS, formatMs),
    checkAtMost(`a push is searchable, p95, ${setup}`, percentile(searchableMs, 0.95), MAX_SEARCHABLE_MS, formatMs),
  ])
  return { figures, checks: checksTimes ? checks : [], table }
}

/** An event of the log, as far as it is looked at. */
interface LogEvent {
  readonly event: string
  readonly message?: string
  readonly status?: string
  readonly bookmark?: string
  readonly phases?: { readonly search: number }
}

/** Watches that have brought the source in, and tell what they log. */
async function startWatches(replicas: number, { cwd, url }: { cwd: string; url: string }) {
  const log = new EventEmitter()
  const env = { ...process.env, DATABASE_URL: url }
  const [command, ...args] = [...TIDEMARK, 'watch', '--listen', '0', '--log', 'json']
  const start = async () => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
    const lines = createInterface(child.stderr)
    const listening = Promise.withResolvers<string>()
    lines.on('line', (line) => {
      const event: LogEvent = JSON.parse(line)
      const [, address] = /listening on (\S+)/.exec(event.message ?? '') ?? []
      if (address !== undefined) listening.resolve(address)
      log.emit(event.event, event)
    })
    return { child, address: await listening.promise }
  }
  const complete = waitFor(log, ({ status }) => status === 'first_sync')
  const started = await Promise.all(Array.from({ length: replicas }, start))
  await complete
  return {
    log,
    addresses: started.map(({ address }) => address),
    pids: started.map(({ child }) => child.pid!),
    async [Symbol.asyncDispose]() {
      for (const { child } of started) {
        child.kill('SIGTERM')
        if (child.exitCode === null) await once(child, 'exit')
      }
    },
  }
}

/** The first run that ends so from now on. */
async function waitFor(log: EventEmitter, isIt: (event: LogEvent) => boolean): Promise<LogEvent> {
  for await (const [event] of on(log, 'finished')) if (isIt(event)) return event
  throw new Error('nothing is logged any more')
}

async function measurePushes(
  { log, addresses }: Awaited<ReturnType<typeof startWatches>>,
  { repo, pushes, seed }: { repo: string; pushes: number; seed: number },
) {
  const random = seededRandom(seed)
  const [storedMs, searchableMs]: [number[], number[]] = [[], []]
  for (let n = 0; n < pushes; n++) {
    await changeFiles(repo, 1 + Math.floor(random() * MAX_CHANGED_FILES))
    const commit = (await gitIn(repo).raw('rev-parse', 'main')).trim()
    const finished = waitFor(log, ({ bookmark, status }) => bookmark === commit && status === 'synced')
    const startMs = performance.now()
    await postHook(addresses[Math.floor(random() * addresses.length)]!)
    const { phases } = await finished
    const elapsedMs = performance.now() - startMs
    searchableMs.push(elapsedMs)
    storedMs.push(elapsedMs - phases!.search)
  }
  return { storedMs, searchableMs }
}

async function postHook(address: string): Promise<void> {
  const headers = { authorization: `Bearer ${SECRET}` }
  const response = await fetch(`${address}/hooks/generic`, { method: 'POST', headers, body: '{"source":"docs"}' })
  await response.text()
  if (response.status !== 202) throw new Error(`the hook was answered with ${response.status}`)
}

/** Has each watch look so often as hooks can make it, and reads the most memory that one of them had in all. */
async function measureLooks({ addresses, pids }: Awaited<ReturnType<typeof startWatches>>, looks: number) {
  for (const address of addresses) {
    while ((await countLooks(address)) < looks / addresses.length) for (let n = 0; n < 100; n++) await postHook(address)
  }
  return Math.max(...pids.map((pid) => peakMbOf(pid) ?? Number.NaN))
}

async function countLooks(address: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text()
  const counts = text.matchAll(/^tidemark_watch_sync_duration_seconds_count\{.*\} (\d+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}
