import type { LogFlags } from '../output/log.ts'
import { pingRules, refuseFlags, type SourceFlags, sourceRules } from './flags.ts'

/** The options of `tidemark sync`. Durations are in milliseconds. */
export interface SyncFlags extends SourceFlags, Pick<LogFlags, 'log' | 'logTime'> {
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
  readonly ping?: string
}

/** @throws {UsageError} with the reason, before anything is touched. */
export function validateSyncFlags(flags: SyncFlags): void {
  const { concurrency: _, log: __, logTime: ___, breakLock, forceBreakLock, maxAge, ...syncing } = flags
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
    ...pingRules(syncing),
    [!source && !all, 'sync needs to know what', 'Give --source <id> or --all.'],
    [
      (breakLock || forceBreakLock) && Object.values(ofSync).some(Boolean),
      `${breaking} does not sync, so options of a sync mean nothing with it`,
      bothHint,
    ],
  ])
}

/**
 * The arguments of the process that syncs one source with these options: switches, durations, and how it logs. Its
 * monitor is told by the one that starts it.
 */
export function childArguments(configFile: string, { log, logTime, ...flags }: SyncFlags): string[] {
  const { source: _, all, independent, concurrency, ping, ...passed } = flags
  const options = Object.entries(passed).map(([name, value]) => {
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return value === true ? flag : `${flag}=${Number(value) / 1000}s`
  })
  if (log !== undefined) options.push(`--log=${log}`)
  if (logTime !== undefined) options.push(logTime ? '--log-time' : '--no-log-time')
  return [`--config=${configFile}`, ...options]
}
