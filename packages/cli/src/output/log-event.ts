import type { EmbedProgress, EmbedResult, Progress, SyncResult } from '@tidemark/sync-core'

/**
 * What `--log json` prints, one a line. `schema/log.json` is made from this type and its comments. Fields may be added;
 * none that is here is renamed, or means something else.
 */
export type LogEvent = {
  /** UTC, as ISO 8601 has it. */
  readonly time: string
  readonly level: LogLevel
} & LogEntry

/** `debug` is for `--verbose`; with `--quiet` there is nothing below `warning`. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

export type LogEntry = Started | PhaseBegun | ProgressMade | Finished | Message

/** The run of a source begins. */
interface Started {
  readonly event: 'started'
  readonly source: string
}

/** It comes to its next phase. */
interface PhaseBegun {
  readonly event: 'phase'
  readonly source: string
  readonly phase: AnyProgress['phase']
}

/** Where it is, each 10 s. */
type ProgressMade = { readonly event: 'progress' } & AnyProgress

/** How it ended, as `--json` has it. */
type Finished = { readonly event: 'finished' } & (SyncResult | EmbedResult)

/** What someone should know or do, one name for each level; `trace` is a git command or an SQL statement. */
interface Message {
  readonly event: 'trace' | 'message' | 'warning' | 'error'
  readonly source?: string
  readonly code?: string
  readonly message: string
  readonly hint?: string
}

/** Where the run of a source is. */
export type AnyProgress = Progress | EmbedProgress
