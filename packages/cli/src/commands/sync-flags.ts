import { UsageError } from '../usage-error.ts'

/** The options of `tidemark sync`. Durations are in milliseconds. */
export interface SyncFlags {
  readonly source?: readonly string[]
  readonly all?: boolean
  readonly timeout?: number
  readonly wait?: number
  readonly concurrency: number
  readonly independent?: boolean
  /** Set by `--independent` for the processes that it starts. */
  readonly asChild?: boolean
  readonly breakLockIfStale?: number
  readonly breakLock?: boolean
  readonly forceBreakLock?: boolean
  readonly maxAge?: number
  readonly dryRun?: boolean
  readonly full?: boolean
  readonly retryQuarantined?: boolean
  readonly allowMassDelete?: boolean
}

/** @throws {UsageError} with the reason, before anything is touched. */
export function validateSyncFlags({ source, all, breakLock, forceBreakLock, maxAge, ...others }: SyncFlags): void {
  const { timeout, wait, independent, dryRun, full, retryQuarantined, allowMassDelete, breakLockIfStale } = others
  if (maxAge !== undefined && forceBreakLock) {
    throw new UsageError('--max-age and --force-break-lock exclude each other', 'Forcing looks at no age.')
  }
  if (maxAge !== undefined && !breakLock) {
    throw new UsageError('--max-age needs --break-lock', 'To sync as well, use --break-lock-if-stale <duration>.')
  }
  if (breakLock && forceBreakLock) {
    throw new UsageError('--break-lock and --force-break-lock exclude each other', 'Give one of them.')
  }
  if (forceBreakLock && !source) {
    throw new UsageError('--force-break-lock needs --source', 'Name the source whose holder is to lose its lease.')
  }
  if (source && all) throw new UsageError('--source and --all exclude each other', 'Give one of them.')
  if (timeout && !source && !all) {
    throw new UsageError('--timeout needs --source or --all', 'It is a budget for each source.')
  }
  if (!source && !all) throw new UsageError('sync needs to know what', 'Give --source <id> or --all.')
  if (!breakLock && !forceBreakLock) return
  if (timeout || wait || independent || dryRun || full || retryQuarantined || allowMassDelete || breakLockIfStale) {
    throw new UsageError(
      `--${breakLock ? 'break-lock' : 'force-break-lock'} does not sync, so options of a sync mean nothing with it`,
      'To break and sync in one call, use --break-lock-if-stale <duration>.',
    )
  }
}

/** The arguments of the process that syncs one source with these options. */
export function childArguments(configFile: string, flags: SyncFlags): string[] {
  const { timeout, wait, breakLockIfStale, dryRun, full, retryQuarantined, allowMassDelete } = flags
  const durations = { timeout, wait, 'break-lock-if-stale': breakLockIfStale }
  const switches = {
    'dry-run': dryRun,
    full,
    'retry-quarantined': retryQuarantined,
    'allow-mass-delete': allowMassDelete,
  }
  return [
    `--config=${configFile}`,
    ...Object.entries(durations).flatMap(([name, ms]) => (ms === undefined ? [] : [`--${name}=${ms / 1000}s`])),
    ...Object.entries(switches).flatMap(([name, on]) => (on ? [`--${name}`] : [])),
  ]
}
