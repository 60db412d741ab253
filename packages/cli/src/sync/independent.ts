import { emptyResult, isEmbedded, type Source } from '@tidemark/sync-core'
import pMap from 'p-map'
import type { Config } from '../config/load-config.ts'
import type { SyncFlags } from './flags.ts'
import { runChild } from './run-child.ts'
import type { SyncLive } from './telling.ts'
import type { Told } from './told.ts'

export interface Independent {
  readonly config: Config
  /** Address of the database. */
  readonly database: string
  readonly flags: SyncFlags
  readonly verbose: boolean
  readonly live: SyncLive
  /** Stops the processes that run, and starts no more. */
  readonly signal: AbortSignal
}

/**
 * Syncs each source in an operating-system process of its own, some at a time, so that one that crashes, hangs or
 * takes all of its memory takes no other with it. An embedded database belongs to one process, so there it is one
 * after another.
 */
export function syncIndependently(sources: readonly Source[], call: Independent): Promise<Told[]> {
  const { config, database, flags, verbose, live, signal } = call
  const args = [...argumentsFor(config, flags), ...(verbose ? ['--verbose'] : [])]
  return pMap(
    sources,
    async ({ id }) => {
      const stopped = signal.aborted
      const result = stopped
        ? emptyResult(id, { status: 'partial', reason: 'cancelled' })
        : await runChild(id, { args, database, budgetMs: flags.timeout, verbose, live, signal })
      live.finished(result)
      return result
    },
    { concurrency: processesAtOnce(database, flags) },
  )
}

export const processesAtOnce = (database: string, { concurrency }: SyncFlags) =>
  isEmbedded(database) ? 1 : concurrency

function argumentsFor(config: Config, flags: SyncFlags): string[] {
  const { timeout, wait, breakLockIfStale, dryRun, full, retryQuarantined, allowMassDelete } = flags
  const durations = { timeout, wait, 'break-lock-if-stale': breakLockIfStale }
  const switches = {
    'dry-run': dryRun,
    full,
    'retry-quarantined': retryQuarantined,
    'allow-mass-delete': allowMassDelete,
  }
  return [
    `--config=${config.file}`,
    ...Object.entries(durations).flatMap(([name, ms]) => (ms === undefined ? [] : [`--${name}=${ms / 1000}s`])),
    ...Object.entries(switches).flatMap(([name, on]) => (on ? [`--${name}`] : [])),
  ]
}
