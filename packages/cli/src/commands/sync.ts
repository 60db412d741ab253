import type { Database, PlannedChange, Source, SourceStatus } from '@tidemark/sync-core'
import { type Command, Option } from 'commander'
import type { Call } from '../call.ts'
import { openProgress, type ProgressDisplay } from '../output/progress.ts'
import type { CliSyncResult } from '../output/results.ts'
import { limitHeap } from '../runtime/limit-heap.ts'
import { type Stop, stopOnSignals } from '../runtime/stop-on-signals.ts'
import { defineAction } from './define-action.ts'
import { endStopped } from './end-stopped.ts'
import { addRunOptions, BREAK_LOCK_HELP, collect, parseCount, parseDuration, STATUS_HELP } from './flags.ts'
import { breakSourceLocks } from './locks.ts'
import { type NotBegun, withRunDatabase } from './run-database.ts'
import { childArguments, type SyncFlags, validateSyncFlags } from './sync-flags.ts'
import { withPing } from './with-ping.ts'

/** `tidemark sync`: brings sources up to date. */
export function addSync(program: Command): void {
  const command = program
    .command('sync')
    .summary('bring sources up to date')
    .description('Makes the pages of sources equal to their refs, or as many of them as the time allows.')
    .option('--source <id>', 'a source; can be given several times', collect)
    .option('--all', 'all sources of the configuration')
    .option('--timeout <duration>', 'stop each source after that long, as partial', parseDuration)
    .option('--wait <duration>', 'wait that long for a source that another process is syncing', parseDuration)
    .option('--concurrency <n>', 'how many sources at a time', parseCount, 4)
    .option('--independent', 'one process for each source, killed where it outlives its budget')
    .option('--break-lock-if-stale <duration>', 'first break a lease not refreshed for that long', parseDuration)
    .option('--break-lock', 'break the leases of dead holders, print a verdict for each source, and do not sync')
    .option('--max-age <duration>', 'with --break-lock: only leases not refreshed for that long', parseDuration)
    .option('--force-break-lock', 'break the lease of a source although its holder is alive, and do not sync')
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--full', 'write every page again')
    .option('--retry-quarantined', 'try again what could not be stored')
    .option('--allow-mass-delete', 'go on where most of a source would be deleted')
    .addOption(new Option('--as-child').hideHelp())
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark sync --all\n  $ tidemark sync --source docs --timeout 10m\n  $ tidemark sync --all --independent --timeout 10m --concurrency 8\n\nBreaking leases:\n  ${BREAK_LOCK_HELP}\n\n${STATUS_HELP}`,
    )
    .action(defineAction(sync))
  addRunOptions(command)
}

/** Brings sources up to date, or breaks their leases. @returns the exit code. */
async function sync(call: Call, flags: SyncFlags): Promise<number> {
  const { configureLog } = await import('../output/log.ts')
  configureLog({ ...call.flags, ...flags })
  validateSyncFlags(flags)
  if (flags.breakLock || flags.forceBreakLock) {
    const { selectSources } = await import('../config/select-sources.ts')
    const sources = selectSources(call.config, flags)
    await breakSourceLocks(call, sources, { force: flags.forceBreakLock, maxAgeMs: flags.maxAge })
    return 0
  }
  const stop = stopOnSignals()
  return endStopped(stop, await withPing(call, flags, () => syncAndShow(call, flags, stop)))
}

async function syncAndShow(call: Call, flags: SyncFlags, stop: Stop): Promise<CliSyncResult[]> {
  const { selectSources } = await import('../config/select-sources.ts')
  const { config, output } = call
  const sources = selectSources(config, flags)
  using display = flags.asChild
    ? (await import('../children/child-reporter.ts')).reportToParent(stop)
    : await openProgress(output, flags)
  const work = flags.independent ? syncIndependently : syncHere
  const results = await work(call, sources, { flags, display, signal: stop.signal })
  const positions = new Map(sources.map(({ id }, position) => [id, position]))
  results.sort((a, b) => positions.get(a.source)! - positions.get(b.source)!)
  display[Symbol.dispose]()
  if (output.json) output.printJson('sync', { results })
  else await (await import('../output/results.ts')).showSyncResults(results, output)
  return results
}

interface SyncWork {
  readonly flags: SyncFlags
  readonly display: ProgressDisplay
  readonly signal: AbortSignal
}

/** Syncs sources in this process, some at a time; each has a budget of its own, and none stops another. */
async function syncHere(
  call: Call,
  sources: readonly Source[],
  { flags, display, signal }: SyncWork,
): Promise<CliSyncResult[]> {
  const { emptyResult, isEmbedded, syncSource } = await import('@tidemark/sync-core')
  const { default: pMap } = await import('p-map')
  limitHeap({ onServer: !isEmbedded(call.databaseAddress), several: sources.length > 1 })
  const { timeout: budgetMs, wait: waitMs, breakLockIfStale: breakLockIfStaleMs, concurrency, ...others } = flags
  const { clones, search, keepDeletedMs } = call.config
  const askedAt = performance.now()
  // Beside the opening of the database. Of more sources some would be found long before their turn.
  const isFound = !flags.dryRun && sources.length <= concurrency
  const over = new AbortController()
  const heads = isFound ? await findHeads(sources, clones, AbortSignal.any([signal, over.signal])) : null
  const elapsedMs = () => Math.round(performance.now() - askedAt)
  const work = async (db: Database) => {
    // What waiting for a connection has taken is part of it.
    const leftMs = budgetMs && Math.max(1, budgetMs - elapsedMs())
    const options = {
      ...others,
      budgetMs: leftMs,
      waitMs,
      breakLockIfStaleMs,
      signal,
      clones,
      search,
      keepDeletedMs,
      onProgress: display.progress,
    }
    const ordered = needsOrder(sources, flags, concurrency) ? await leastRecentlyCheckedFirst(db, sources) : sources
    const syncOne = async (source: Source): Promise<CliSyncResult> => {
      let changes: PlannedChange[] | undefined
      const onPlan = (planned: Iterable<PlannedChange>) => {
        changes = [...planned]
      }
      display.started(source.id)
      const result = await syncSource(db, source, { ...options, head: heads?.get(source.id), onPlan })
      display.finished(result)
      return { ...result, ...(changes && { changes }) }
    }
    return pMap(ordered, syncOne, { concurrency })
  }
  const notBegun = ({ outcome, warnings }: NotBegun) => {
    const results = sources.map(({ id }): CliSyncResult => ({ ...emptyResult(id, outcome, elapsedMs()), warnings }))
    for (const result of results) display.finished(result)
    return results
  }
  // A dry run makes no tables, and no embedded database either.
  const mode = flags.dryRun ? 'read_only' : 'migrated'
  try {
    return await withRunDatabase(call, mode, { signal, budgetMs, waitMs }, work, notBegun)
  } finally {
    over.abort()
  }
}

/** Looks up what the refs of sources name; one that fails is looked up again by its own run, which tells why. */
async function findHeads(sources: readonly Source[], clones: string | undefined, signal: AbortSignal) {
  const { findHead } = await import('@tidemark/sync-core')
  const heads = new Map(sources.map((source) => [source.id, findHead(source, clones, signal)]))
  for (const head of heads.values()) head.catch(() => {})
  return heads
}

/** Syncs each source in a process of its own. */
async function syncIndependently(
  call: Call,
  configured: readonly Source[],
  { flags, ...work }: SyncWork,
): Promise<CliSyncResult[]> {
  const { runChildren } = await import('../children/run-children.ts')
  const { isEmbedded } = await import('@tidemark/sync-core')
  const { databaseAddress: database, config } = call
  // An embedded database belongs to one process.
  const concurrency = isEmbedded(database) ? 1 : flags.concurrency
  // What is wrong with a database its processes say.
  const sources = needsOrder(configured, flags, concurrency)
    ? await call
        .withDatabase('read_only', (db) => leastRecentlyCheckedFirst(db, configured), { signal: work.signal })
        .catch(() => configured)
    : configured
  const verbose = call.output.verbose
  const args = [...childArguments(config.file, flags), ...(verbose ? ['--verbose'] : [])]
  return runChildren(sources, { ...work, args, database, budgetMs: flags.timeout, verbose, concurrency })
}

/** Where some have to wait for others, and the command line does not say which. */
const needsOrder = (sources: readonly Source[], { all }: SyncFlags, concurrency: number) =>
  all === true && sources.length > concurrency

/**
 * Who was checked longest ago comes first, and who never was before all. A wave that is cut short, however early, then
 * leaves out others than the last one did. By the database's clock; one statement.
 */
async function leastRecentlyCheckedFirst(db: Database, sources: readonly Source[]): Promise<readonly Source[]> {
  const { readStatus } = await import('@tidemark/sync-core')
  const statuses = await readStatus(
    db,
    sources.map(({ id }) => id),
  )
  const checkedAt = new Map(statuses.map((status) => [status.id, lastCheckedAt(status)]))
  return sources.toSorted((a, b) => checkedAt.get(a.id)! - checkedAt.get(b.id)!)
}

/** A run that found nothing new is not recorded, one that was stopped has checked nothing. */
const lastCheckedAt = ({ lastCheckedAt, lastRun }: SourceStatus) =>
  Math.max(lastCheckedAt?.getTime() ?? 0, lastRun ? Date.parse(lastRun.startedAt) : 0)
