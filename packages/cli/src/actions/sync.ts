import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../config/load-config.ts'
import { openLive } from '../show/live.ts'
import { showResults } from '../show/results.ts'
import { exitCodeOf } from '../sync/exit-code.ts'
import { refuseContradictions, type SyncFlags } from '../sync/flags.ts'
import { syncSideBySide } from '../sync/side-by-side.ts'
import { stopOnSignals } from '../sync/stop-on-signals.ts'
import { UsageError } from '../usage-error.ts'
import { breakLocks } from './break-locks.ts'
import { configOf, sourceNamed, withDatabase, withDatabaseAsItIs } from './context.ts'
import { outputOf } from './globals.ts'

/** Brings sources up to date, or breaks their leases. @returns the exit code. */
export default async function sync(flags: SyncFlags, command: Command): Promise<number> {
  refuseContradictions(flags)
  const config = configOf(command)
  const sources = chosen(config, flags)
  if (flags.breakLock || flags.forceBreakLock) {
    const { forceBreakLock: force, maxAge: maxAgeMs } = flags
    await breakLocks(command, config, sources, { force, maxAgeMs })
    return 0
  }
  const output = outputOf(command)
  const clones = join(dirname(config.file), '.tidemark', 'clones')
  using stop = stopOnSignals()
  using live = openLive(output)
  const { timeout, wait, breakLockIfStale, ...others } = flags
  const durations = { budgetMs: timeout, waitMs: wait, breakLockIfStaleMs: breakLockIfStale }
  const options = { ...others, ...durations, clones, signal: stop.signal, live }
  // A dry run makes no tables, and no embedded database either.
  const open = flags.dryRun ? withDatabaseAsItIs : withDatabase
  const results = await open(command, config, (db) => syncSideBySide(db, sources, options))
  live[Symbol.dispose]()
  showResults(results, output)
  return stop.exitCode() ?? exitCodeOf(results)
}

function chosen(config: Config, { all, source }: SyncFlags) {
  if (!all) return [...new Set(source)].map((id) => sourceNamed(config, id))
  if (config.sources.length > 0) return config.sources
  throw new UsageError(`${config.file} has no sources`, 'Add one with: tidemark sources add <id> <repo>')
}
