import { refuseFlags, type SourceFlags, sourceRules } from './flags.ts'

/** The options of `tidemark sync`. Durations are in milliseconds. */
export interface SyncFlags extends SourceFlags {
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
export function validateSyncFlags({ concurrency: _, breakLock, forceBreakLock, maxAge, ...syncing }: SyncFlags): void {
  const { source, all, ...ofSync } = syncing
  const breaking = breakLock ? '--break-lock' : '--force-break-lock'
  const bothHint = 'To break and sync in one call, use --break-lock-if-stale <duration>.'
  refuseFlags([
    [maxAge && forceBreakLock, '--max-age and --force-break-lock exclude each other', 'Forcing looks at no age.'],
    [maxAge && !breakLock, '--max-age needs --break-lock', bothHint],
    [breakLock && forceBreakLock, '--break-lock and --force-break-lock exclude each other', 'Give one of them.'],
    [
      forceBreakLock && !source,
      '--force-break-lock needs --source',
      'Name the source whose holder is to lose its lease.',
    ],
    ...sourceRules(syncing),
    [!source && !all, 'sync needs to know what', 'Give --source <id> or --all.'],
    [
      (breakLock || forceBreakLock) && Object.values(ofSync).some(Boolean),
      `${breaking} does not sync, so options of a sync mean nothing with it`,
      bothHint,
    ],
  ])
}

/** The arguments of the process that syncs one source with these options: switches, and durations. */
export function childArguments(configFile: string, { source: _, all, independent, concurrency, ...passed }: SyncFlags) {
  const options = Object.entries(passed).map(([name, value]) => {
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return value === true ? flag : `${flag}=${Number(value) / 1000}s`
  })
  return [`--config=${configFile}`, ...options]
}
