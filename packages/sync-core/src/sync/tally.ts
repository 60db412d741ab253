import type { Plan } from '../plan/plan.ts'
import type { Counts, Outcome, SyncResult } from '../run/outcome.ts'
import type { PreparedBatch } from './batches.ts'

export type Phase = 'lock' | 'fetch' | 'plan' | 'apply' | 'search'

/** Where a run is. */
export interface Progress {
  readonly source: string
  readonly phase: Phase
  /** Files that are settled; of `total` once that is known. */
  readonly done: number
  readonly total: number | null
  readonly elapsedMs: number
}

/** What a run has done so far. */
export type Tally = ReturnType<typeof startTally>

export function startTally(source: string, onProgress: ((progress: Progress) => void) | undefined) {
  const started = performance.now()
  const elapsedMs = () => Math.round(performance.now() - started)
  const phases = { lock: 0, fetch: 0, plan: 0, apply: 0, search: 0 }
  let stored = { imported: 0, updated: 0, renamed: 0, deleted: 0, quarantined: 0 }
  let current: Phase = 'plan'
  let done = 0
  let total: number | null = null
  let blobsRead = 0

  const tell = () => onProgress?.({ source, phase: current, done, total, elapsedMs: elapsedMs() })
  const counts = (): Counts & { filesRemaining: number | null; blobsRead: number; elapsedMs: number } => ({
    filesImported: stored.imported,
    filesUpdated: stored.updated,
    filesRenamed: stored.renamed,
    filesDeleted: stored.deleted,
    filesQuarantined: stored.quarantined,
    filesRemaining: tally.filesRemaining,
    blobsRead,
    elapsedMs: elapsedMs(),
  })
  const tally = {
    /** When this run began, or last found out where the source is; what others have noted since is newer. */
    lookedAt: started,
    bookmark: null as string | null,
    target: null as string | null,
    filesRemaining: null as number | null,
    /** The paths that the search index may lack; null where it lacks none, 'all' where they were not followed. */
    unsearched: null as readonly string[] | 'all' | null,
    warnings: [] as { code: string; message: string }[],
    counts,
    /** Runs a phase and takes its time. */
    async phase<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
      current = phase
      tell()
      const begun = performance.now()
      try {
        return await work()
      } finally {
        phases[phase] += Math.round(performance.now() - begun)
      }
    },
    /** Takes over what a plan is going to do, and says what it leaves out. */
    planned({ counts, refused, passedOver }: Plan) {
      const { symlinks, submodules } = passedOver
      if (symlinks + submodules > 0) {
        const message = `passed over as not being files of the repository: ${symlinks} symlinks to Markdown, ${submodules} submodules`
        tally.warnings.push({ code: 'passed_over', message })
      }
      total = counts.imports + counts.updates + counts.renames + counts.deletes + refused.length
      tally.filesRemaining = total
      tell()
    },
    /** Counts a blob that was read, whether or not it will be stored. */
    read() {
      blobsRead++
    },
    /** Counts a batch that is in. */
    stored(batch: PreparedBatch) {
      for (const key of Object.keys(stored) as (keyof typeof stored)[]) stored[key] += batch.counts[key]
      done += batch.entries
      if (Array.isArray(tally.unsearched)) tally.unsearched = followed(tally.unsearched, batch)
      if (total !== null) tally.filesRemaining = total - done
      tell()
    },
    /** Tells that something has moved. */
    moved: tell,
    /** Counts a plan as if it were done, for a dry run. */
    wouldStore({ counts: { imports, updates, renames, deletes }, refused }: Plan) {
      stored = {
        imported: imports,
        updated: updates,
        renamed: renames,
        deleted: deletes,
        quarantined: refused.length,
      }
    },
    result(ending: Outcome): SyncResult {
      const { bookmark, target, warnings } = tally
      return {
        source,
        ...ending,
        bookmark,
        target,
        ...counts(),
        phases: { ...phases },
        warnings,
      }
    },
  }
  return tally
}

/** More than these are found by comparing as fast as by their names. */
const MOST_FOLLOWED = 10_000

function followed(paths: readonly string[], { pages }: PreparedBatch): readonly string[] | 'all' {
  if (paths.length + pages.length > MOST_FOLLOWED) return 'all'
  return [...paths, ...pages.map(({ path }) => path)]
}
