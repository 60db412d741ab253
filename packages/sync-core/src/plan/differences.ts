import type { Database } from '../database/database.ts'
import type { Repository } from '../git/repository.ts'
import { listChanges, listTree, type TreeEntry } from '../git/tree.ts'
import { pagesAt, readPages, type StoredPage } from '../store/read-pages.ts'

/** What a plan compares: files and pages, both in the byte order of their paths. */
export interface Sides {
  readonly files: AsyncIterable<TreeEntry[]>
  readonly pages: AsyncGenerator<StoredPage[]>
  /** Whether a path is looked at; what is in quarantine elsewhere stays there. */
  readonly covers: (path: string) => boolean
}

export interface Comparison {
  readonly db: Database
  readonly sourceId: string
  readonly repository: Repository
  readonly commit: string
  /** A commit whose tree is here and that the pages are known to equal; null where there is none. */
  readonly since: string | null
  readonly rewriteBefore: Date | null
  readonly signal: AbortSignal
}

/** More changes than that are as well found by comparing everything, in less memory. */
const MOST_CHANGES = 20_000

/**
 * The two sides of a comparison: only the paths at which two trees differ, where the pages are known to equal the
 * older one; else everything.
 */
export async function sidesOf(comparison: Comparison): Promise<Sides> {
  const { db, sourceId, repository, commit, rewriteBefore, signal } = comparison
  const changes = await changesOf(comparison)
  if (changes === null) {
    const pages = readPages(db, sourceId, rewriteBefore, signal)
    return { files: listTree(repository, commit, signal), pages, covers: () => true }
  }
  const paths = [...changes.keys()]
  return {
    files: once(changes),
    pages: pagesAt(db, sourceId, paths, signal),
    covers: (path) => changes.has(path),
  }
}

async function changesOf({
  repository,
  commit,
  since,
  signal,
}: Comparison): Promise<Map<string, TreeEntry | null> | null> {
  if (since === null) return null
  const changes = new Map<string, TreeEntry | null>()
  for await (const { path, entry } of listChanges(repository, since, commit, signal)) {
    // A path that is not UTF-8 is known by another name in quarantine; too rare for a way of its own.
    if (typeof path !== 'string' || changes.size === MOST_CHANGES) return null
    changes.set(path, entry)
  }
  return changes
}

async function* once(changes: Map<string, TreeEntry | null>): AsyncGenerator<TreeEntry[]> {
  yield [...changes.values()].filter((entry) => entry !== null)
}
