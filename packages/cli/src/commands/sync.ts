import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { type Database, type Source, type SyncResult, syncSource } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { count, durationMs } from '../duration.ts'
import { openLive } from '../show/live.ts'
import type { Output } from '../show/output.ts'
import { table } from '../show/table.ts'
import { changes, duration, shortCommit } from '../show/words.ts'
import { UsageError } from '../usage-error.ts'
import { breakLocks } from './break-locks.ts'
import { configOf, outputOf, sourceNamed, withDatabase, withDatabaseAsItIs } from './context.ts'

interface SyncFlags {
  readonly source?: readonly string[]
  readonly all?: boolean
  readonly timeout?: number
  readonly wait?: number
  readonly concurrency: number
  readonly breakLockIfStale?: number
  readonly breakLock?: boolean
  readonly forceBreakLock?: boolean
  readonly maxAge?: number
  readonly dryRun?: boolean
  readonly full?: boolean
  readonly retryQuarantined?: boolean
  readonly allowMassDelete?: boolean
}

const STATUSES = `
Statuses: up_to_date, synced, first_sync, dry_run; partial (stopped, the next run goes on from there);
  blocked, blocked_by_failures (a person must decide); busy (another process is syncing it); failed.
Exit codes: 0 done or partial, 1 failed, 2 bad usage or configuration, 3 blocked, 4 busy; after SIGINT 130, after
  SIGTERM 143.`

/** `tidemark sync`: brings sources up to date. */
export function addSync(program: Command, exit: (code: number) => void): void {
  program
    .command('sync')
    .summary('bring sources up to date')
    .description('Makes the pages of sources equal to their refs, or as many of them as the time allows.')
    .option('--source <id>', 'a source; can be given several times', (id: string, ids: string[] = []) => [
      ...ids,
      id,
    ])
    .option('--all', 'all sources of the configuration')
    .option('--timeout <duration>', 'stop each source after that long, as partial', durationMs)
    .option('--wait <duration>', 'wait that long for a source that another process is syncing', durationMs)
    .option('--concurrency <n>', 'how many sources at a time', count, 4)
    .option('--break-lock-if-stale <duration>', 'first break a lease not refreshed for that long', durationMs)
    .option(
      '--break-lock',
      'break the leases of dead holders, tell a verdict for each source, and do not sync',
    )
    .option('--max-age <duration>', 'with --break-lock: only leases not refreshed for that long', durationMs)
    .option('--force-break-lock', 'break the lease of a source although its holder is alive, and do not sync')
    .option('--dry-run', 'tell what would be done, and do nothing')
    .option('--full', 'write every page again')
    .option('--retry-quarantined', 'try again what could not be stored')
    .option('--allow-mass-delete', 'go on where most of a source would be deleted')
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark sync --all\n  $ tidemark sync --source docs --timeout 10m\n${STATUSES}`,
    )
    .action(async (flags: SyncFlags, command: Command) => exit(await sync(flags, command)))
}

async function sync(flags: SyncFlags, command: Command): Promise<number> {
  if (flags.source && flags.all)
    throw new UsageError('--source and --all exclude each other', 'Give one of them.')
  if (!flags.source && !flags.all) {
    throw new UsageError('sync needs to know what', 'Give --source <id> or --all.')
  }
  refuseContradictions(flags)
  const config = configOf(command)
  const sources = flags.all ? config.sources : [...new Set(flags.source)].map((id) => sourceNamed(config, id))
  if (sources.length === 0) {
    throw new UsageError(`${config.file} has no sources`, 'Add one with: tidemark sources add <id> <repo>')
  }
  const output = outputOf(command)
  if (flags.breakLock || flags.forceBreakLock) {
    const { forceBreakLock: force, maxAge: maxAgeMs } = flags
    await breakLocks(command, config, sources, { force, maxAgeMs })
    return 0
  }
  const clones = join(dirname(config.file), '.tidemark', 'clones')
  using stop = stopOnSignals()
  // A dry run makes no tables, and no embedded database either.
  const open = flags.dryRun ? withDatabaseAsItIs : withDatabase
  const results = await open(command, config, (db) =>
    syncAll(db, sources, { flags, clones, signal: stop.signal, output }),
  )
  show(results, output)
  return stop.exitCode() ?? exitCodeOf(results)
}

interface Call {
  readonly flags: SyncFlags
  /** Folder for the clones of sources on servers. */
  readonly clones: string
  readonly signal: AbortSignal
  readonly output: Output
}

function refuseContradictions({ source, breakLock, forceBreakLock, maxAge, ...others }: SyncFlags): void {
  if (maxAge !== undefined && forceBreakLock) {
    throw new UsageError('--max-age and --force-break-lock exclude each other', 'Forcing looks at no age.')
  }
  if (maxAge !== undefined && !breakLock) {
    throw new UsageError(
      '--max-age needs --break-lock',
      'To sync as well, use --break-lock-if-stale <duration>.',
    )
  }
  if (breakLock && forceBreakLock) {
    throw new UsageError('--break-lock and --force-break-lock exclude each other', 'Give one of them.')
  }
  if (forceBreakLock && !source) {
    throw new UsageError(
      '--force-break-lock needs --source',
      'Name the source whose holder is to lose its lease.',
    )
  }
  if (!breakLock && !forceBreakLock) return
  const { timeout, wait, dryRun, full, retryQuarantined, allowMassDelete, breakLockIfStale } = others
  if (timeout || wait || dryRun || full || retryQuarantined || allowMassDelete || breakLockIfStale) {
    throw new UsageError(
      `--${breakLock ? 'break-lock' : 'force-break-lock'} does not sync, so options of a sync mean nothing with it`,
      'To break and sync in one call, use --break-lock-if-stale <duration>.',
    )
  }
}

async function syncAll(db: Database, sources: readonly Source[], { flags, clones, signal, output }: Call) {
  const { timeout: budgetMs, wait: waitMs, dryRun, full, retryQuarantined, allowMassDelete } = flags
  const { breakLockIfStale: breakLockIfStaleMs } = flags
  const options = {
    budgetMs,
    waitMs,
    breakLockIfStaleMs,
    dryRun,
    full,
    retryQuarantined,
    allowMassDelete,
    clones,
    signal,
  }
  const live = openLive(output)
  const results = new Map<string, SyncResult>()
  // Workers that share one iterator: each takes the next source when it has done with one.
  const queue = sources.values()
  const worker = async () => {
    for (const source of queue) {
      const result = await syncSource(db, source, { ...options, onProgress: live.progress })
      results.set(source.id, result)
      live.finished(result)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(flags.concurrency, sources.length) }, worker))
  } finally {
    live.stop()
  }
  return sources.map(({ id }) => results.get(id)!)
}

function show(results: readonly SyncResult[], output: Output): void {
  if (output.json) {
    output.printJson({ results })
    return
  }
  const rows = results.map((result) => [
    result.source,
    output.paint(styleOf(result), 'reason' in result ? `${result.status} (${result.reason})` : result.status),
    changes(result),
    result.filesRemaining === null ? '?' : String(result.filesRemaining),
    shortCommit(result.bookmark),
    duration(result.elapsedMs),
  ])
  if (!output.quiet) output.print(table(['source', 'status', 'files', 'left', 'bookmark', 'time'], rows))
  for (const result of results) {
    for (const { message } of result.warnings)
      process.stderr.write(`tidemark: ${result.source}: ${message}\n`)
    if (result.status === 'blocked') output.note('  If that is meant, run again with --allow-mass-delete.')
    if (result.status === 'blocked_by_failures')
      output.note('  Mend the files, exclude them, or see tidemark.quarantine.')
    if (result.status === 'failed')
      process.stderr.write(`tidemark: ${result.source}: ${result.error.message}\n  ${result.error.hint}\n`)
    if (result.status === 'busy') {
      const { host, pid } = result.holder
      output.note(
        `tidemark: ${result.source}: being synced by process ${pid} on ${host}\n  Wait for it with --wait 10m.`,
      )
    }
  }
}

function styleOf({ status }: SyncResult): 'red' | 'yellow' | 'green' {
  if (status === 'failed' || status === 'blocked' || status === 'blocked_by_failures') return 'red'
  return status === 'busy' || status === 'partial' ? 'yellow' : 'green'
}

/** With several sources the first that applies: a fault, then a decision to be made, then a live holder. */
function exitCodeOf(results: readonly SyncResult[]): number {
  const statuses = new Set(results.map(({ status }) => status))
  if (statuses.has('failed')) return 1
  if (statuses.has('blocked') || statuses.has('blocked_by_failures')) return 3
  return statuses.has('busy') ? 4 : 0
}

/** The first SIGINT or SIGTERM stops the runs as partial, a second one ends the process at once. */
function stopOnSignals() {
  const controller = new AbortController()
  let received: 'SIGINT' | 'SIGTERM' | undefined
  const exitCode = () => (received === undefined ? undefined : 128 + constants.signals[received])
  const onSignal = (name: 'SIGINT' | 'SIGTERM') => {
    if (received !== undefined) process.exit(exitCode())
    received = name
    controller.abort(new Error(`stopped by ${name}`))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    exitCode,
    [Symbol.dispose]: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  }
}
