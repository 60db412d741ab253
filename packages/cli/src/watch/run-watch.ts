import { setTimeout as sleep } from 'node:timers/promises'
import { checkDatabase, type Database, errorCode, errorProblem, isEmbedded, redact } from '@tidemark/sync-core'
import type { Call } from '../call.ts'
import type { WatchFlags } from '../commands/watch.ts'
import { type Config, loadConfig, resolveDatabase } from '../config/load-config.ts'
import { selectSources } from '../config/select-sources.ts'
import { lendDatabase } from '../mcp/lend-database.ts'
import { logLine, logProblem } from '../output/log.ts'
import { collectStored } from '../runtime/collect-stored.ts'
import { limitHeap } from '../runtime/limit-heap.ts'
import { UsageError } from '../usage-error.ts'
import { listen } from './listen.ts'
import { notifySystemd } from './notify-systemd.ts'
import { createRunMetrics } from './run-metrics.ts'
import { openWatchDisplay } from './watch-display.ts'
import { type Watcher, watchSources } from './watch-sources.ts'

/**
 * Other replicas wait for the lease of one that was killed. With the period before and the look at what another is at,
 * that stays under three of the shortest periods.
 */
const LEASE = { ttlMs: 12_000, heartbeatMs: 3_000 }
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 30_000

interface WatchControl {
  readonly signal: AbortSignal
  /** What SIGHUP does is put there. */
  readonly reload: { onHangup: () => void }
}

/** Runs `tidemark watch` until its signal. */
export async function runWatch(call: Call, flags: WatchFlags, { signal, reload }: WatchControl): Promise<void> {
  let { config } = call
  selectSources(config, { all: true })
  if (config.mcpToken !== null && isEmbedded(call.databaseAddress)) {
    const hint = 'An embedded database belongs to the process that writes it. Use tidemark mcp, which opens it to read.'
    throw new UsageError('assistants can ask a watch on a Postgres only', hint)
  }
  limitHeap({ onServer: !isEmbedded(call.databaseAddress), several: true })
  using display = await openWatchDisplay(call.output, flags)
  const metrics = createRunMetrics()
  let opened: { readonly db: Database; readonly watcher: Watcher } | null = null
  const database = lendDatabase(call.databaseAddress)
  const mcp = async (request: Request) => {
    const { createMcpHandler } = await import('../mcp/http-handler.ts')
    return createMcpHandler(config.mcpToken!, { config, use: database.use })(request)
  }
  const watched = () => ({
    mcp: config.mcpToken === null ? null : mcp,
    hooks: config.hooks,
    sources: config.sources,
    wake: (id: string) => opened?.watcher.wake(id),
    findProblem: () => findProblem(opened?.db),
    readMetrics: () => readMetrics(opened?.db, config, metrics),
  })
  await using server = flags.listen ? await listen(flags.listen, watched) : null
  if (server) logLine('info', `tidemark: listening on ${server.address}`)
  reload.onHangup = () => {
    const next = readAgain(config, call)
    if (next === null) return
    config = next
    opened?.watcher.setConfig(next)
    logLine('info', `tidemark: read ${next.file} again: ${next.sources.length} sources`)
  }
  // A database that is away is waited for: the start of the service is not.
  using _ = notifySystemd()
  const syncApart = flags.independent ? await createSyncApart(call, flags, display, signal) : null
  await withDatabaseWhenThere(call, signal, async (db) => {
    const onResult = metrics.observe
    const { timeout: budgetMs, concurrency } = flags
    const watcher = watchSources(call, db, { budgetMs, concurrency, syncApart, display, onResult, signal })
    // Read again while the database was waited for.
    if (config !== call.config) watcher.setConfig(config)
    opened = { db, watcher }
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    await watcher.stop()
    opened = null
  })
  await database.close()
}

/** Opens the database, and waits for one that does not answer yet, as long as it takes. */
async function withDatabaseWhenThere(call: Call, signal: AbortSignal, work: (db: Database) => Promise<void>) {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await call.withDatabase('migrated', work, { signal, ...LEASE })
    } catch (error) {
      if (signal.aborted) return
      if (errorCode(error) !== 'DATABASE_UNREACHABLE' && errorCode(error) !== 'DATABASE_IN_USE') throw error
      logProblem('warning', errorProblem(error))
      await sleep(pauseMs, undefined, { signal }).catch(() => {})
    }
  }
}

/** The configuration as its file is now; null where that is refused, and the one that there is stays. */
function readAgain(config: Config, call: Call): Config | null {
  try {
    const next = loadConfig(config.file)
    selectSources(next, { all: true })
    if (resolveDatabase(next, call.flags.database) !== call.databaseAddress)
      logLine('warning', 'tidemark: the database is another one now, which counts when it is started again')
    return next
  } catch (error) {
    const { message, nextStep } = errorProblem(error)
    logProblem('error', { message: `the configuration stays as it was: ${message}`, nextStep })
    return null
  }
}

async function findProblem(db: Database | undefined): Promise<string | null> {
  if (db === undefined) return 'the database has not been opened yet'
  try {
    const [problem] = await checkDatabase(db)
    return problem?.message ?? null
  } catch (error) {
    return redact(errorProblem(error).message)
  }
}

async function readMetrics(
  db: Database | undefined,
  config: Config,
  { registry }: ReturnType<typeof createRunMetrics>,
) {
  const { Registry } = await import('prom-client')
  const registries: any[] = [registry]
  // Those of this process are there, too, while the database is not.
  if (db !== undefined) {
    const stored = await collectStored(db, config).catch(() => null)
    if (stored) registries.push(stored)
  }
  const merged = Registry.merge(registries)
  merged.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  return { text: await merged.metrics(), contentType: merged.contentType as string }
}

/** Has each sync done by a process of its own. */
async function createSyncApart(
  call: Call,
  { timeout: budgetMs, log, logTime }: WatchFlags,
  display: Parameters<typeof watchSources>[2]['display'],
  signal: AbortSignal,
) {
  const { runChildren } = await import('../children/run-children.ts')
  const { childArguments } = await import('../commands/sync-flags.ts')
  const { databaseAddress: database, config, output } = call
  if (isEmbedded(database))
    throw new UsageError('--independent needs a Postgres', 'An embedded database belongs to one process.')
  const args = childArguments(config.file, {
    timeout: budgetMs,
    concurrency: 1,
    ...(log && { log }),
    ...(logTime !== undefined && { logTime }),
  })
  const silent = { ...display, started() {}, finished() {} }
  const { verbose } = output
  return async (source: Config['sources'][number]) =>
    (await runChildren([source], { args, database, budgetMs, verbose, display: silent, signal, concurrency: 1 }))[0]!
}
