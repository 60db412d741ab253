import {
  type Counts,
  noCounts,
  noPhases,
  type Outcome,
  type Phase,
  type SyncResult,
  selectionWarnings,
  type Warning,
} from './outcome.ts'

/** Where a run is. */
export interface Progress {
  readonly source: string
  readonly phase: Phase
  /** Files that are settled, of `total` once that is known; in `search` pages that were indexed. */
  readonly done: number
  readonly total: number | null
  readonly elapsedMs: number
}

/** What of a plan is counted. */
interface PlannedWork {
  readonly counts: Counts
  readonly nothingSelected: string | null
  readonly skipped: { readonly symlinks: number; readonly submodules: number }
}

/** What a run has done so far, and what it knows of its source. */
export type RunProgress = ReturnType<typeof startProgress>

/** More paths than that are found by comparing as fast as by their names. */
const MAX_TRACKED_PATHS = 10_000

export function startProgress(source: string, onProgress: (progress: Progress) => void) {
  const started = performance.now()
  const elapsedMs = () => Math.round(performance.now() - started)
  const phases = noPhases()
  const stored = noCounts()
  let current: Phase = 'plan'
  let total: number | null = null
  let planned: Counts | null = null
  let blobsRead = 0
  let pagesIndexed = 0

  const progress = {
    /** When this run began, or last read the state of its source; what others have recorded since is newer. */
    lookedAt: started,
    startedAt: started,
    bookmark: null as string | null,
    target: null as string | null,
    filesRemaining: null as number | null,
    /** The paths that the search index may lack; null where it lacks none, 'all' where they are not known. */
    unindexedPaths: null as readonly string[] | 'all' | null,
    warnings: [] as Warning[],
    /** Why the source has no file, as the database or the plan of this run has it; null where it has some. */
    nothingSelected: null as string | null,

    counts: () => ({ ...stored, filesRemaining: progress.filesRemaining, blobsRead, elapsedMs: elapsedMs() }),
    /** Reports where the run is. */
    report() {
      const counted = current === 'search' ? { done: pagesIndexed, total: null } : { done: sum(stored), total }
      onProgress({ source, phase: current, ...counted, elapsedMs: elapsedMs() })
    },
    /** Runs a phase and takes its time. */
    async phase<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
      current = phase
      progress.report()
      const begun = performance.now()
      try {
        return await work()
      } finally {
        phases[phase] += Math.round(performance.now() - begun)
      }
    },
    /** Takes over what a plan is going to do, and warns of what it leaves out. */
    setPlan({ counts, nothingSelected, skipped: { symlinks, submodules } }: PlannedWork) {
      progress.nothingSelected = nothingSelected
      progress.warnings = selectionWarnings(nothingSelected, source)
      if (symlinks + submodules > 0) {
        const message = `skipped as not being files of the repository: ${symlinks} symlinks to Markdown, ${submodules} submodules`
        progress.warnings.push({ code: 'skipped', message })
      }
      // Planned anew after a connection was lost: what is planned no more is in, also where no answer has said so.
      if (planned !== null)
        for (const key of Object.keys(stored) as (keyof Counts)[])
          stored[key] = Math.max(stored[key], planned[key] - counts[key])
      planned ??= counts
      total = sum(stored) + sum(counts)
      progress.filesRemaining = sum(counts)
      progress.report()
    },
    /** Counts a plan as if it were done, for a dry run. */
    countPlan: ({ counts }: PlannedWork) => void Object.assign(stored, counts),
    /** Counts a blob that was read, whether or not it will be stored. */
    countRead: () => void blobsRead++,
    /** Counts a batch that is in. */
    countBatch(counts: Counts, pages: readonly { readonly path: string }[]) {
      for (const key of Object.keys(stored) as (keyof Counts)[]) stored[key] += counts[key]
      if (Array.isArray(progress.unindexedPaths)) {
        const paths = [...progress.unindexedPaths, ...pages.map(({ path }) => path)]
        progress.unindexedPaths = paths.length > MAX_TRACKED_PATHS ? 'all' : paths
      }
      if (total !== null) progress.filesRemaining = total - sum(stored)
      progress.report()
    },
    /** Counts pages that can be found by search now. */
    countIndexed(pages: number) {
      pagesIndexed += pages
      progress.report()
    },
    result: (outcome: Outcome): SyncResult => ({
      source,
      ...outcome,
      bookmark: progress.bookmark,
      target: progress.target,
      ...progress.counts(),
      phases: { ...phases },
      warnings: progress.warnings,
    }),
  }
  return progress
}

const sum = (counts: Counts) => Object.values(counts).reduce((total, count) => total + count, 0)
