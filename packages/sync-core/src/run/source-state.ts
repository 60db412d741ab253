import { formatDuration } from './format-duration.ts'
import { leaseProblem, type Problem, SILENT_MS, statusProblem, warningProblems } from './next-steps.ts'
import { type Count, type RunStatus, type SyncStatus, selectionWarnings, type Warning } from './outcome.ts'

/** Who works on a source, or has died over it; `expiresInMs` is negative where anyone may take it. */
export interface SeenLease {
  readonly host: string
  readonly pid: Count
  readonly heldForMs: number
  readonly sinceRefreshMs: number | null
  readonly expiresInMs: number
}

/** Where a source stands, as the database knows it. Ages are by the clock of the database, in milliseconds. */
export interface SourceStatus {
  readonly id: string
  readonly bookmark: string | null
  readonly dirty: boolean
  /** A digest of what the bookmark was made with. */
  readonly fingerprint: string | null
  readonly lastStatus: SyncStatus | null
  readonly lastCheckedAt: Date | null
  readonly lastSyncedAt: Date | null
  readonly sinceCheckMs: number | null
  /** For how long a newer commit is known than the one that is in; null where none is. */
  readonly behindMs: number | null
  readonly quarantined: Count
  /** Why its bookmark has no file of it; null where it has some. */
  readonly nothingSelected: string | null
  /** Why its last embedding failed; null where it has not. */
  readonly embedFailure: Problem | null
  /** How many of its pages the search index has; null where it has every one. */
  readonly index: { readonly pages: Count; readonly indexed: Count } | null
  readonly lastRun: {
    readonly startedAt: string
    /** Null while it runs, and for one that was killed. */
    readonly finishedAt: string | null
    readonly status: RunStatus | null
    readonly reason: string | null
    /** What was wrong where it failed, and what to do about it. */
    readonly message: string | null
    readonly hint: string | null
    readonly filesRemaining: Count | null
  } | null
  /** What its last run was made with, see {@link Expected.settings}; null for one that had no plan. */
  readonly lastSettings: string | null
  readonly lease: SeenLease | null
  /** Who writes its search index. */
  readonly searchLease: SeenLease | null
}

/** The commit that the ref of a source names now, or why that cannot be known. */
export type RemoteHead = { readonly commit: string } | { readonly problem: Problem }

export type SourceState = 'syncing' | 'unreachable' | 'never_synced' | 'behind' | 'up_to_date'

/** What keeps a source from being fresh and whole. */
export type ProblemCode =
  | 'unreachable'
  | 'holder_silent'
  | 'killed'
  | 'stuck'
  | 'never_synced'
  | 'behind'
  | 'overdue'
  | 'settings_changed'
  | 'index_incomplete'
  | 'embeddings_incomplete'
  | 'nothing_selected'
  | 'quarantined'

/** `error` where nothing goes on without someone, `warning` where the next run mends it, or someone may leave it so. */
export interface SourceProblem extends Problem {
  readonly code: ProblemCode
  readonly severity: 'warning' | 'error'
}

/** What a source is, compared with its ref, as `status` prints it. */
export interface SourceDescription {
  readonly state: SourceState
  readonly bookmark: string | null
  readonly target: string | null
  /** Null where the ref cannot be read. */
  readonly behind: boolean | null
  /** For how long at most it has not been what its ref is; null where it is, or was never looked at. */
  readonly behindMs: number | null
  readonly lastStatus: SyncStatus | null
  readonly quarantined: Count
  readonly warnings: readonly Warning[]
  readonly problem: string | null
  /** The command or step that solves the problem. */
  readonly fix: string | null
  /** All that keeps it from being fresh and whole, what matters most first; nothing where it is. */
  readonly problems: readonly SourceProblem[]
}

/** What a source should be. */
export interface Expected {
  /** How often it is due. */
  readonly everyMs: number
  /** Of its configuration, see {@link SourceStatus.fingerprint}. */
  readonly fingerprint: string
  /** A digest of all of its configuration that may end a run in another way. */
  readonly settings: string
  /** Whether a sync keeps the index for search. */
  readonly searches: boolean
  /** How many of its texts have no embedding; null where nobody is to embed them. */
  readonly unembedded: { readonly texts: Count; readonly total: Count } | null
  /** Whether the database takes what a run writes; true by default. Where not, what a run would mend is not told. */
  readonly writable?: boolean | undefined
  /** How long it may be behind, or not looked at; see {@link GRACE} where it is not given. */
  readonly maxStalenessMs?: number | undefined
}

/** A cron may be late, and a run takes its time: so much longer than it is due may a source not have been looked at. */
const GRACE = 1.5

export function describeSource(status: SourceStatus, head: RemoteHead, expected: Expected): SourceDescription {
  const { bookmark, dirty, lastStatus, quarantined, nothingSelected } = status
  const target = 'commit' in head ? head.commit : null
  const behind = target === null ? null : target !== bookmark || dirty
  // A ref that has moved since it was last looked at has done so after that.
  const behindMs = behind === false ? null : (status.behindMs ?? status.sinceCheckMs)
  const problems = findProblems(status, head, { behind, behindMs }, expected)
  const [first] = problems.filter(({ code }) => MAIN_PROBLEMS.has(code))
  return {
    state: sourceState(status, behind),
    bookmark,
    target,
    behind,
    behindMs: behindMs === null ? null : Math.round(behindMs),
    lastStatus,
    quarantined,
    warnings: selectionWarnings(nothingSelected, status.id),
    problem: first?.message ?? null,
    fix: first?.nextStep ?? null,
    problems,
  }
}

/** What is told as the one problem of a source; the rest is a matter of time, or of taste. */
const MAIN_PROBLEMS = new Set<ProblemCode>(['unreachable', 'holder_silent', 'killed', 'stuck', 'overdue'])

function sourceState({ lease, bookmark }: SourceStatus, behind: boolean | null): SourceState {
  if (isLive(lease)) return 'syncing'
  if (behind === null) return 'unreachable'
  if (bookmark === null) return 'never_synced'
  return behind ? 'behind' : 'up_to_date'
}

const isLive = (lease: SeenLease | null) => lease !== null && lease.expiresInMs > 0

type Behind = Pick<SourceDescription, 'behind' | 'behindMs'>

function findProblems(status: SourceStatus, head: RemoteHead, behind: Behind, expected: Expected): SourceProblem[] {
  const { id, bookmark, dirty, lease, fingerprint, quarantined } = status
  const { writable = true } = expected
  const again = `tidemark sync --source ${id}`
  const working = isLive(lease)
  const problems: SourceProblem[] = []
  const add = (code: ProblemCode, severity: SourceProblem['severity'], problem: Problem | null) => {
    if (problem !== null) problems.push({ code, severity, ...problem })
  }
  if ('problem' in head) add('unreachable', 'error', head.problem)
  if (working) add('holder_silent', 'error', leaseProblem(lease!, id, 'sync'))
  else if (lease !== null && dirty && writable) add('killed', 'warning', killedProblem(lease, again))
  // A source that is stuck can be looked at once its repository can be read.
  if (!working && !('problem' in head) && writable) add('stuck', 'error', stuckProblem(status, expected))
  // What follows from these is not told beside them: its remedy would not help.
  if (working || (writable && !problems.some(({ severity }) => severity === 'error'))) {
    const nextStep = working ? `Wait for process ${lease!.pid} on ${lease!.host}.` : again
    if (bookmark === null) add('never_synced', 'warning', { message: firstSyncText(status), nextStep })
    else add('behind', 'warning', behindProblem(behind, nextStep, expected))
    if (!working) add('overdue', 'error', overdueProblem(status, expected))
    if (bookmark !== null && fingerprint !== expected.fingerprint) {
      const message = 'its configuration has changed since its last sync; what the next one will do:'
      add('settings_changed', 'warning', { message, nextStep: `${again} --dry-run` })
    }
  }
  if (expected.searches && !working && writable) add('index_incomplete', 'warning', indexProblem(status, again))
  if (writable)
    add('embeddings_incomplete', status.embedFailure ? 'error' : 'warning', embeddingProblem(status, expected))
  const [selection] = warningProblems(selectionWarnings(status.nothingSelected, id))
  add('nothing_selected', 'warning', selection ?? null)
  if (quarantined > 0) {
    const message = `${quarantined} ${quarantined === 1 ? 'file is' : 'files are'} set aside`
    add('quarantined', 'warning', { message, nextStep: `tidemark quarantine --source ${id}` })
  }
  return problems
}

/** Why a run has failed, where each is looked at now, too: what still holds is told as a problem of its own. */
const CHECKED_REASONS = new Set<string | null>([
  'database_refused',
  'database_unreachable',
  'database_newer',
  'fetch_failed',
  'pull_timeout',
  'ref_not_found',
  'bad_ref',
  'not_a_repository',
  'bad_source',
])

/** How its last run ended, where someone has to do something; one that never had a plan has left only its run. */
function stuckProblem({ id, lastStatus, lastRun, lastSettings }: SourceStatus, { settings }: Expected): Problem | null {
  const failed = lastStatus === 'failed' || (lastStatus === null && lastRun?.status === 'failed')
  if (failed && lastRun?.message && lastRun.hint) {
    const message = `its last run failed: ${lastRun.message}`
    const isOver = CHECKED_REASONS.has(lastRun.reason)
    return { message, nextStep: isOver ? `tidemark sync --source ${id}` : lastRun.hint }
  }
  const status = failed ? 'failed' : lastStatus
  if (status !== 'failed' && status !== 'blocked' && status !== 'blocked_by_failures') return null
  const detail = lastRun?.status === status ? lastRun : { message: null }
  if (lastSettings !== null && lastSettings !== settings) {
    const message = `its last run was ${status}${detail.message ? ` (${detail.message})` : ''}; its configuration has changed since:`
    return { message, nextStep: `tidemark sync --source ${id}` }
  }
  return statusProblem({ status, reason: lastRun?.reason ?? null }, id, 'sync', detail)
}

/** The holder of a lease that has ended by itself; whoever comes next takes it at once. */
function killedProblem({ host, pid, sinceRefreshMs }: SeenLease, nextStep: string): Problem {
  const since = sinceRefreshMs === null ? '' : ` ${formatDuration(sinceRefreshMs)} ago`
  return {
    message: `process ${pid} on ${host}, which synced it, ended${since} without a word; go on from there:`,
    nextStep,
  }
}

/** How much of a first import is in, in per cent where that is known. */
function firstSyncText({ dirty, index, lastRun }: SourceStatus): string {
  if (!dirty) return 'never synced'
  const pages = index?.pages ?? 0
  const left = lastRun?.filesRemaining ?? null
  const share = left === null ? '' : `, ${Math.floor((100 * pages) / Math.max(1, pages + left))} %`
  return `its first sync is not done: ${pages} pages are in${share}`
}

function behindProblem(
  { behind, behindMs }: Behind,
  nextStep: string,
  { maxStalenessMs = 0 }: Expected,
): Problem | null {
  if (behind !== true || (behindMs ?? Infinity) < maxStalenessMs) return null
  return { message: `behind its ref${behindMs === null ? '' : ` for ${formatDuration(behindMs)}`}`, nextStep }
}

function overdueProblem({ id, sinceCheckMs }: SourceStatus, { everyMs, maxStalenessMs }: Expected): Problem | null {
  if (sinceCheckMs === null || sinceCheckMs <= (maxStalenessMs ?? GRACE * everyMs)) return null
  const message = `nobody has looked at it for ${formatDuration(sinceCheckMs)}, it is due every ${formatDuration(everyMs)}: does its cron, timer or workflow run? By hand:`
  return { message, nextStep: `tidemark sync --source ${id}` }
}

function indexProblem({ id, index, bookmark, searchLease }: SourceStatus, again: string): Problem | null {
  if (index === null || bookmark === null || index.indexed === index.pages) return null
  const found = `${index.indexed} of ${index.pages} pages can be found by search`
  if (searchLease === null || !isLive(searchLease)) return { message: found, nextStep: again }
  const { host, pid, sinceRefreshMs } = searchLease
  const at = `process ${pid} on ${host} is at it`
  if ((sinceRefreshMs ?? 0) <= SILENT_MS) return { message: `${found}; ${at}`, nextStep: 'Wait for it.' }
  const message = `${found}; ${at} and shows no sign of life`
  return { message, nextStep: `tidemark locks break search:${id} --max-age 45s` }
}

function embeddingProblem({ id, embedFailure }: SourceStatus, { unembedded }: Expected): Problem | null {
  if (unembedded === null || unembedded.texts === 0) return null
  const { texts, total } = unembedded
  const share = Math.floor((100 * (total - texts)) / Math.max(1, total))
  const message = `${texts} of ${total} texts have no embedding, ${share} % do`
  if (embedFailure === null) return { message, nextStep: `tidemark embed --source ${id}` }
  const { message: failure, nextStep } = embedFailure
  const step = nextStep.includes('tidemark embed') ? nextStep : `${nextStep} Then: tidemark embed --source ${id}`
  return { message: `${message}; embedding failed: ${failure}`, nextStep: step }
}
