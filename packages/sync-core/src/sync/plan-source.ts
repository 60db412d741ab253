import type { Database } from '../database/database.ts'
import { ABSENT, listChanges, listTree, type TreeEntry } from '../git/tree.ts'
import { type Comparison, makePlan } from '../plan/compare.ts'
import { explainNothingSelected } from '../plan/nothing-selected.ts'
import type { Plan } from '../plan/plan.ts'
import { countPages, readPages, readPagesAt } from '../store/read-pages.ts'
import { readQuarantine } from '../store/read-quarantine.ts'

export interface SourceComparison extends Pick<Comparison, 'selection' | 'retryQuarantined'> {
  readonly db: Database
  readonly sourceId: string
  /** Of the repository. */
  readonly folder: string
  readonly commit: string
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
 */
export async function planSource(comparison: SourceComparison): Promise<SourcePlan> {
  const { db, sourceId, folder, commit, rewriteBefore, selection, retryQuarantined, signal } = comparison
  const common = {
    quarantine: await readQuarantine(db, sourceId),
    countPages: () => countPages(db, sourceId),
    ...{ selection, retryQuarantined, tree: `${commit} in ${folder}` },
  }
  const changes = await readChanges(comparison)
  if (changes === null) {
    const pages = readPages(db, sourceId, rewriteBefore, signal)
    const plan = await makePlan({ ...common, files: listTree(folder, commit, signal), pages, covers: () => true })
    const nothingSelected = plan.selected === 0 ? await explainEmpty(comparison) : null
    return { ...plan, nothingSelected, changed: null }
  }
  const pages = readPagesAt(db, sourceId, [...changes.keys()], signal)
  const covers = (path: string) => changes.has(path)
  const plan = await makePlan({ ...common, files: changedFiles(changes), pages, covers })
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

/** Looks at the whole tree once more: for a source that has nothing of it, and for no other. */
const explainEmpty = ({ folder, commit, selection, signal }: SourceComparison) =>
  explainNothingSelected(listTree(folder, commit, signal), selection)

type Changes = Map<string, TreeEntry>

async function readChanges({ folder, commit, diffBase, signal }: SourceComparison): Promise<Changes | null> {
  if (diffBase === null) return null
  const changes: Changes = new Map()
  for await (const entry of listChanges(folder, diffBase, commit, signal)) {
    // A path that is not UTF-8 is known by another name in quarantine; too rare for a way of its own.
    if (typeof entry.path !== 'string' || changes.size === MAX_CHANGES) return null
    changes.set(entry.path, entry)
  }
  return changes
}

async function* changedFiles(changes: Changes): AsyncGenerator<TreeEntry[]> {
  yield [...changes.values()].filter(({ mode }) => mode !== ABSENT)
}
