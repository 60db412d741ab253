/**
 * What parts the pages of a source from a commit's tree, and how it is found: `compare` merges both sides, `renames` pairs
 * what has gone with what has come, `eligible` says what may be a page, `guard` what needs a person. Nothing here reads a
 * database: both sides are given as streams in the byte order of their paths.
 */
import type { Counts } from '../run/outcome.ts'
import type { CompressedList } from './compressed-list.ts'
import type { EligibleFile, RejectedPath, SkippedEntries } from './eligible.ts'

/** What a plan needs to know of a stored page. */
export interface StoredPage {
  readonly id: string
  readonly path: string
  readonly blobOid: string
  /** 0 for a page that is to be written again whatever made it. */
  readonly parserVersion: number
}

/** A file that was quarantined; it is tried again when its blob or the parser is another. */
export type QuarantinedFile = Omit<StoredPage, 'id'>

/** A file whose blob is to be read and stored: as a new page, or over the page of that id. */
export interface Write extends EligibleFile {
  readonly id: string | null
  /** What the page at this path holds now; null for a new page. */
  readonly oldBlobOid: string | null
}

/** A page whose file is gone. */
export type Delete = Omit<StoredPage, 'parserVersion'>

/** A page that keeps its id and content under another path. */
export interface Rename extends Delete {
  readonly from: string
  /** Members of one cycle (a→b while b→a) have the same number: only together they leave every path to one page. */
  readonly cycle: number | null
}

/**
 * Followed in the order of the fields, whole or in part, a plan never makes two pages claim one path; and what is left
 * of it is what the next plan finds.
 */
export interface Plan {
  readonly rejected: readonly RejectedPath[]
  /** Paths in quarantine whose file is gone. */
  readonly quarantineCleared: readonly string[]
  readonly renames: CompressedList<Rename>
  /** New and changed files in the order of their paths. */
  readonly writes: CompressedList<Write>
  readonly deletes: CompressedList<Delete>
  /** Files of the tree, as far as it was looked at, that may be pages. */
  readonly selected: number
  /** Files of the tree that are no pages, in the order of their paths, for the links to them. */
  readonly otherFiles: CompressedList<string>
  /** What was seen in the tree and cannot be a page of it. */
  readonly skipped: SkippedEntries
  /** What it would do, as a result counts it. */
  readonly counts: Counts
  /** Pages that there are before the plan, where it deletes any; else 0. */
  readonly stored: number
  /** Files that are in quarantine and have not changed. */
  readonly stillQuarantined: number
}

/** One thing that a plan would do. */
export interface PlannedChange {
  /** `quarantine` only of files whose path is the reason; what a text is like is not known before it is read. */
  readonly change: 'add' | 'update' | 'rename' | 'delete' | 'quarantine'
  readonly path: string
  /** Where the page is now; of a rename only. */
  readonly from?: string
}

/** What a plan would do, in the order in which it would be done. */
export function* plannedChanges({ rejected, renames, writes, deletes }: Plan): Generator<PlannedChange> {
  for (const { path } of rejected) yield { change: 'quarantine', path }
  for (const { from, path } of renames) yield { change: 'rename', path, from }
  for (const { id, path } of writes) yield { change: id === null ? 'add' : 'update', path }
  for (const { path } of deletes) yield { change: 'delete', path }
}
