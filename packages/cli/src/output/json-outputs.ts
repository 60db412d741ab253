import type { LockState } from '@tidemark/lock'
import type {
  ChangeList,
  EmbedResult,
  GcResult,
  QuarantineRecord,
  RunRecord,
  SearchHit,
  SearchResult,
  ShownPage,
  SourceDescription,
  SourceSize,
  SourceStatus,
} from '@tidemark/sync-core'
import type { Finding } from '../commands/doctor.ts'
import type { SettingChange } from '../config/edit.ts'
import type { BrokenLease } from '../runtime/break-leases.ts'
import type { InstallationProblem } from '../runtime/describe-sources.ts'
import type { CliSyncResult } from './results.ts'

/**
 * What each command prints with `--json`, beside `version`. `schema/output.json` is made from these types and their
 * comments, so a program that reads the output and the code that prints it cannot disagree.
 */
export interface Outputs {
  /** Of every command, where it has no result. The exit code and what is on standard error are as without `--json`. */
  error: { error: Failure }
  init: { file: string; source: string | null }
  'sources list': { sources: readonly ListedSource[] }
  'sources add': { added: string; file: string; commit: string }
  'sources set': {
    changed: string
    file: string
    /** What its ref names now; null where neither that nor the repository was changed, so that nobody has looked. */
    commit: string | null
    changes: readonly SettingChange[]
  }
  'sources rename': { renamed: string; from: string; file: string }
  'sources remove': { removed: string; purged: SourceSize | null }
  sync: { results: readonly CliSyncResult[] }
  'sync --break-lock': { results: readonly BrokenLease[] }
  embed: {
    results: readonly EmbedResult[]
    /** With `--gc`, unless it was stopped before. With `--dry-run`: what would be. */
    collected?: GcResult
  }
  search: Omit<SearchResult, 'hits'> & { readonly hits: readonly (SearchHit & Located)[] }
  show: ShownPage & Located
  changes: ChangeList
  /** One on each line. */
  'changes --follow': ChangeList
  status: {
    sources: readonly ListedStatus[]
    /** What is wrong beside those: with the database, or with what only that knows. */
    problems: readonly InstallationProblem[]
  }
  runs: { runs: readonly RunRecord[] }
  quarantine: { files: readonly QuarantinedFile[] }
  'locks list': { locks: readonly ListedLock[] }
  'locks break': { key: string } & Omit<BrokenLease, 'source'>
  prune: {
    results: readonly {
      readonly source: string
      /** How many deleted and renamed pages are forgotten. */
      readonly pruned: number
    }[]
  }
  doctor: { healthy: boolean; findings: readonly Finding[] }
  migrate: { migrated: boolean }
  'migrate --dry-run': { statements: readonly string[] }
  'migrate --adopt': {
    adopted: string
    /** How many leases are held in it. */
    held: number
  }
}

/** What has kept a command from its result. */
export interface Failure {
  /**
   * For a program to go by: `BAD_USAGE` for a command line or a configuration that is refused, `DATABASE_UNREACHABLE`,
   * `DATABASE_NEWER`, `DATABASE_IN_USE`, `REF_NOT_FOUND` and so on; `UNEXPECTED` where nobody has thought of it.
   */
  readonly code: string
  readonly message: string
  /** A command, or what to do by hand. */
  readonly hint: string
}

export interface Located {
  /** The file on its host, at the commit that the page was written from; null where no host is known. */
  readonly url: string | null
}

export interface ListedSource {
  readonly id: string
  readonly repo: string
  readonly ref: string
  readonly subpath: string | null
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly everyMs: number
}

export type ListedStatus = SourceDescription &
  Pick<SourceStatus, 'id' | 'lastRun' | 'lastSyncedAt' | 'lastCheckedAt' | 'lease'> & {
    readonly repo: string
    readonly ref: string
    readonly everyMs: number
    /** 0 or less where it is due. */
    readonly nextDueInMs: number
  }

export type QuarantinedFile = QuarantineRecord & {
  /** What brings it in. */
  readonly fix: string
}

export type ListedLock = Pick<LockState, 'key' | 'heldForMs' | 'sinceRefreshMs' | 'expiresInMs'> & {
  readonly token: string
  readonly holder: { readonly host: string; readonly pid: number } | null
}
