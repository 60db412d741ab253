import type { LockState } from '@tidemark/lock'
import type {
  EmbedResult,
  GcResult,
  QuarantineRecord,
  RunRecord,
  SearchResult,
  ShownPage,
  SourceDescription,
  SourceSize,
  SourceStatus,
} from '@tidemark/sync-core'
import type { Finding } from '../commands/doctor.ts'
import type { BrokenLease } from '../runtime/break-leases.ts'
import type { CliSyncResult } from './results.ts'

/**
 * What each command prints with `--json`, beside `version`. `schema/output.json` is made from these types and their
 * comments, so a program that reads the output and the code that prints it cannot disagree.
 */
export interface Outputs {
  init: { file: string; source: string | null }
  'sources list': { sources: readonly ListedSource[] }
  'sources add': { added: string; file: string; commit: string }
  'sources remove': { removed: string; purged: SourceSize | null }
  sync: { results: readonly CliSyncResult[] }
  'sync --break-lock': { results: readonly BrokenLease[] }
  embed: {
    results: readonly EmbedResult[]
    /** With `--gc`, unless it was stopped before. With `--dry-run`: what would be. */
    collected?: GcResult
  }
  search: SearchResult
  show: ShownPage
  status: { sources: readonly ListedStatus[] }
  runs: { runs: readonly RunRecord[] }
  quarantine: { files: readonly QuarantinedFile[] }
  'locks list': { locks: readonly ListedLock[] }
  'locks break': { key: string } & Omit<BrokenLease, 'source'>
  doctor: { healthy: boolean; findings: readonly Finding[] }
  migrate: { migrated: boolean }
  'migrate --dry-run': { statements: readonly string[] }
  'migrate --adopt': {
    adopted: string
    /** How many leases are held in it. */
    held: number
  }
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
