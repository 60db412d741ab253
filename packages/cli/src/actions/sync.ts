import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { type Database, emptyResult, type Source } from '@tidemark/sync-core'
import type { Command } from 'commander'
import type { Config } from '../config/load-config.ts'
import { openLive } from '../show/live.ts'
import { endingCode } from '../sync/exit-code.ts'
import { refuseContradictions, type SyncFlags } from '../sync/flags.ts'
import { inTurn } from '../sync/in-turn.ts'
import { syncSideBySide } from '../sync/side-by-side.ts'
import { stopOnSignals } from '../sync/stop-on-signals.ts'
import { type SyncLive, syncTelling } from '../sync/telling.ts'
import { configOf, databaseAddress, sourcesChosen, withDatabase, withDatabaseReadOnly } from './context.ts'
import { globals, outputOf } from './globals.ts'

/** Brings sources up to date, or breaks their leases. @returns the exit code. */
export default async function sync(flags: SyncFlags, command: Command): Promise<number> {
  refuseContradictions(flags)
  const config = configOf(command)
  const sources = sourcesChosen(config, flags)
  if (flags.breakLock || flags.forceBreakLock) {
    const { forceBreakLock: force, maxAge: maxAgeMs } = flags
    const { breakLocks } = await import('./break-locks.ts')
    await breakLocks(command, config, sources, { force, maxAgeMs })
    return 0
  }
  const output = outputOf(command)
  const stop = stopOnSignals()
  using live = flags.asChild
    ? (await import('../sync/follow-parent.ts')).followParent(stop)
    : await openLive(output, syncTelling)
  const call = { command, config, flags, live, signal: stop.signal }
  const results = await (flags.independent ? independently(sources, call) : inThisProcess(sources, call))
  const places = new Map(sources.map(({ id }, place) => [id, place]))
  results.sort((a, b) => places.get(a.source)! - places.get(b.source)!)
  live[Symbol.dispose]()
  if (output.json) output.printJson({ results })
  else (await import('../show/results.ts')).showResults(results, output)
  return endingCode(stop, results)
}

interface Call {
  readonly command: Command
  readonly config: Config
  readonly flags: SyncFlags
  readonly live: SyncLive
  readonly signal: AbortSignal
}

async function inThisProcess(sources: readonly Source[], { command, config, flags, ...call }: Call) {
  // Most of what a sync makes lives for a batch, and V8 would let it pile up: 370,000 pages pass through 176 MB instead
  // of 318, for a sixth more computing. (--optimize-for-size: 120 MB, for twice as much.) Set when the program has been
  // loaded, which would take longer by it.
  setFlagsFromString('--semi-space-growth-factor=1')
  // Several sources leave so much more that the old generation has to be kept small too: four of 185,000 pages in all pass
  // through 165 MB instead of 190 with 100, in a tenth more time. It costs pauses, and an embedded database, whose memory
  // V8 counts, a third of its speed.
  const { isEmbedded } = await import('@tidemark/sync-core')
  if (sources.length > 1 && !isEmbedded(databaseAddress(command, config))) {
    setFlagsFromString('--heap-growing-percent=25')
  }
  const { timeout: budgetMs, wait: waitMs, breakLockIfStale: breakLockIfStaleMs, ...others } = flags
  const clones = join(dirname(config.file), '.tidemark', 'clones')
  const options = { ...others, ...call, budgetMs, waitMs, breakLockIfStaleMs, clones, search: config.search }
  // A dry run makes no tables, and no embedded database either.
  const open = flags.dryRun ? withDatabaseReadOnly : withDatabase
  const { signal } = call
  try {
    const work = async (db: Database) =>
      syncSideBySide(db, takesTurns(sources, flags, flags.concurrency) ? await inTurn(db, sources) : sources, options)
    return await open(command, config, work, signal)
  } catch (error) {
    // Stopped before the database has answered.
    if (!signal.aborted) throw error
    return sources.map(({ id }) => emptyResult(id, { status: 'partial', reason: 'cancelled' }))
  }
}

/** Where some have to wait for others, and no one has said which of them. */
const takesTurns = (sources: readonly Source[], { all }: SyncFlags, atOnce: number) =>
  all === true && sources.length > atOnce

async function independently(configured: readonly Source[], { command, ...call }: Call) {
  const { processesAtOnce, syncIndependently } = await import('../sync/independent.ts')
  const { verbose = false } = globals(command)
  const database = databaseAddress(command, call.config)
  // What is wrong with a database its processes tell.
  const sources = takesTurns(configured, call.flags, processesAtOnce(database, call.flags))
    ? await withDatabaseReadOnly(command, call.config, (db) => inTurn(db, configured), call.signal).catch(
        () => configured,
      )
    : configured
  return syncIndependently(sources, { ...call, verbose, database })
}
