import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationMs } from '../config/duration.ts'
import { UsageError } from '../usage-error.ts'

/** A duration in milliseconds; an argument parser for options. */
export function parseDuration(text: string): number {
  try {
    return durationMs(text)
  } catch (error) {
    if (error instanceof UsageError) throw new InvalidArgumentError(error.hint)
    throw error
  }
}

/** A whole number of 1 or more; an argument parser for options. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a whole number of 1 or more.')
  return Number(text)
}

/** Another one of an option that can be given several times; an argument parser. */
export const collect = (text: string, before: string[] = []) => [...before, text]

/** A combination of flags that is refused where the first is true: the message, and what to do. */
type FlagRule = readonly [refused: unknown, message: string, hint: string]

/** @throws {UsageError} of the first rule that refuses. */
export function refuseFlags(rules: readonly FlagRule[]): void {
  for (const [refused, message, hint] of rules) if (refused) throw new UsageError(message, hint)
}

/** How commands that work on sources are told which. */
export interface SourceFlags {
  readonly source?: readonly string[]
  readonly all?: boolean
  readonly timeout?: number
}

export const sourceRules = ({ source, all, timeout }: SourceFlags): FlagRule[] => [
  [source && all, '--source and --all exclude each other', 'Give one of them.'],
  [timeout && !source && !all, '--timeout needs --source or --all', 'It is a budget for each source.'],
]

export const pingRules = ({ ping, dryRun }: { readonly ping?: string; readonly dryRun?: boolean }): FlagRule[] => [
  [ping !== undefined && dryRun, '--ping and --dry-run exclude each other', 'A dry run does nothing to tell of.'],
]

/** Adds the options of commands that may run for long, and where nobody looks. */
export function addRunOptions(command: Command): void {
  addLogOptions(command)
  command.option('--ping <url>', 'tell a monitor that runs start, succeed and fail, as healthchecks.io has it')
}

/** Adds how they log. */
export function addLogOptions(command: Command): void {
  command
    .addOption(
      new Option('--log <format>', 'lines for people, or JSON events for a collector (default: text)').choices([
        'text',
        'json',
      ]),
    )
    .option('--log-time', 'begin lines with the time (default where standard error is no terminal)')
    .option('--no-log-time', 'begin them without')
}

/** Statuses and exit codes, for help. */
export const STATUS_HELP = `Statuses:
  up_to_date, synced, first_sync, dry_run   done
  partial                                   stopped in time; the next run goes on from there
  blocked, blocked_by_failures              a person must decide
  busy                                      another process is at work on it
  failed                                    see the message

Exit codes:
  0 done or partial   1 failed   2 bad usage or configuration   3 blocked   4 busy
  5 from status --check: a source is not fresh and whole
  129 after SIGHUP    130 after SIGINT    143 after SIGTERM
  With several sources the first of 1, 3, 4, 0 that applies.`

/** Which leases age lets break, for help. */
export const BREAK_LOCK_HELP =
  'Without an age only one that has expired is broken; with one never a holder that showed life within three of its own heartbeats (45 s).'
