import type { Database } from '../database/database.ts'
import { listChanges } from '../git/list-changes.ts'
import { surveyTree, type TreeSize } from '../git/survey-tree.ts'
import { ABSENT, listTree, type TreeEntry } from '../git/tree.ts'
import { byteOrder } from '../plan/byte-order.ts'
import { type Comparison, makePlan } from '../plan/compare.ts'
import { explainNothingSelected } from '../plan/nothing-selected.ts'
import type { Plan } from '../plan/plan.ts'
import { TooManyFiles } from '../run/outcome-from-error.ts'
import { countFiles } from '../store/count-source.ts'
import { countPages, readPages, readPagesAt } from '../store/read-pages.ts'
import { readQuarantine } from '../store/read-quarantine.ts'
import { SyncError } from '../sync-error.ts'

export interface SourceComparison extends Pick<Comparison, 'selection' | 'retryQuarantined'> {
  readonly db: Database
  readonly sourceId: string
  /** Of the repository. */
  readonly folder: string
  readonly commit: string
  /** How many files the source may have, pages or not. */
  readonly maxFiles: number
  /** A commit whose tree is here and that the pages are known to equal; null where there is none. */
  readonly diffBase: string | null
  /** Pages last written before that moment of the database's clock are written again, as if they had changed. */
  readonly rewriteBefore: Date | null
  readonly signal: AbortSignal
}

/** More changes than that are as well found by comparing everything, in less memory. */
const MAX_CHANGES = 20_000

/**
 * Compares a commit's files with the pages of a source: only at the paths at which two trees differ, where the pages are
 * known to equal the older one; else everywhere.
 *
 * @throws {TooManyFiles} before any of them is looked at, {SyncError} where the tree is damaged.
 */
export async function planSource(comparison: SourceComparison): Promise<SourcePlan> {
  const { db, sourceId, folder, commit, rewriteBefore, selection, retryQuarantined, signal } = comparison
  const common = {
    quarantine: await readQuarantine(db, sourceId),
    countPages: () => countPages(db, sourceId),
    ...{ selection, retryQuarantined },
  }
  const changes = await readChanges(comparison)
  if (changes === null) {
    refuseTooManyFiles(comparison, await surveyTree(comparison, selection.subpath))
    const pages = readPages(db, sourceId, rewriteBefore, signal)
    const files = listTree(folder, commit, signal, selection.subpath)
    const plan = await makePlan({ ...common, files, pages, covers: () => true })
    const nothingSelected = plan.selected === 0 ? await explainEmpty(comparison) : null
    return { ...plan, nothingSelected, changed: null }
  }
  const pages = readPagesAt(db, sourceId, [...changes.keys()], signal)
  const covers = (path: string) => changes.has(path)
  const plan = await makePlan({ ...common, files: changedFiles(changes), pages, covers })
  const added = plan.counts.filesImported + plan.counts.filesQuarantined + plan.otherFiles.length
  // The files of a tree are counted where those that are known may be too many; else that would cost more than the rest.
  if (added > 0 && added + (await countFiles(db, sourceId)) > comparison.maxFiles)
    refuseTooManyFiles(comparison, await surveyTree(comparison, selection.subpath))
  // It has had files, so it has none any more only where some of them have gone.
  const { selected, stillQuarantined, deletes, quarantineCleared } = plan
  const gone = selected + stillQuarantined === 0 && deletes.length + quarantineCleared.length > 0
  const empty = gone && (await countPages(db, sourceId)) === deletes.length
  return { ...plan, nothingSelected: empty ? await explainEmpty(comparison) : null, changed: [...changes.keys()] }
}

export interface SourcePlan extends Plan {
  /** Why the source has no file of the commit; null where it has some. */
  readonly nothingSelected: string | null
  /** The paths that were compared; null where all were. */
  readonly changed: readonly string[] | null
}

/** @throws {TooManyFiles} with their number. */
function refuseTooManyFiles({ commit, maxFiles, selection: { subpath } }: SourceComparison, size: TreeSize): void {
  const [count, what] = size.files > maxFiles ? [size.files, 'files'] : [size.folders, 'folders']
  if (count <= maxFiles) return
  const where = subpath === undefined ? '' : ` in ${subpath}`
  throw new TooManyFiles(
    `commit ${commit} has ${count} ${what}${where}, and the source may have ${maxFiles} (maxFiles)`,
    count,
  )
}

/** Looks at the whole tree once more: for a source that has nothing of it, and for no other. */
async function explainEmpty(comparison: SourceComparison): Promise<string> {
  const { folder, commit, maxFiles, selection, signal } = comparison
  const { files, folders } = await surveyTree(comparison)
  if (Math.max(files, folders) > maxFiles) return `none of its ${files} files is selected`
  return explainNothingSelected(listTree(folder, commit, signal), selection)
}

type Changes = Map<string, TreeEntry>

/** What differs from the commit that the pages are known to equal; null where everything has to be compared. */
async function readChanges(comparison: SourceComparison): Promise<Changes | null> {
  const { diffBase, signal } = comparison
  if (diffBase === null) return null
  try {
    const changes = await listChanges(comparison, diffBase, MAX_CHANGES)
    return changes && new Map([...changes].sort(([a], [b]) => byteOrder(a, b)))
  } catch (error) {
    signal.throwIfAborted()
    // Where it is the older tree that cannot be read, comparing everything needs it no more; else that fails as well.
    if (error instanceof SyncError) return null
    throw error
  }
}

async function* changedFiles(changes: Changes): AsyncGenerator<TreeEntry[]> {
  yield [...changes.values()].filter(({ mode }) => mode !== ABSENT)
}
