import type { LockErrorCode } from '@tidemark/lock'
import type { QuarantineCode } from '../parse/quarantine-error.ts'
import { databaseStep } from './database-steps.ts'
import type { EmbedResult } from './embed-result.ts'
import { type Severity, severityFromStatus, statusText } from './exit-code.ts'
import { formatDuration } from './format-duration.ts'
import { type Holder, type SyncResult, type SyncStatus, statusWarning, type Warning } from './outcome.ts'
import { stepForSource } from './setting-step.ts'

/**
 * Something that is wrong, with the step that goes on from there. Both are made here from one status, reason, error
 * code or lease, and shown together: a remedy never stands beside a problem that it is not for.
 */
export interface Problem {
  readonly message: string
  /** A command, or what to do by hand. */
  readonly nextStep: string
}

/** What a person should know of a run, or do about it. */
export interface Note extends Problem {
  readonly severity: Exclude<Severity, 'ok'>
  readonly title: string
}

/** The result of a sync, or of embedding. */
export type RunResult = SyncResult | EmbedResult

/** What was done with a source, with the words for that. */
const WORK = {
  sync: {
    doing: 'synced',
    unit: 'file',
    refused: 'set aside',
    manyRefused: 'too many of its files cannot be stored',
    lookAt: 'fix or exclude the files that tidemark quarantine lists',
    breakLease: (source: string) => `tidemark sync --source ${source} --break-lock-if-stale 45s`,
    whyRefused: (source: string) => `tidemark quarantine --source ${source}`,
  },
  embed: {
    doing: 'embedded',
    unit: 'text',
    refused: 'refused',
    manyRefused: 'too many of its texts were refused',
    lookAt: 'check the model and its server, see tidemark.embedding_quarantine',
    breakLease: (source: string) => `tidemark locks break embed:${source} --max-age 45s`,
    whyRefused: () => 'SELECT model, message FROM tidemark.embedding_quarantine',
  },
}

type Work = keyof typeof WORK

/** What a person should know of how a run ended: its status, and what could not be stored. */
export function resultNotes(result: RunResult): Note[] {
  const { status } = result
  const { work, quarantined } = countRun(result)
  const { unit, refused, whyRefused } = WORK[work]
  const severity = severityFromStatus(status)
  const problem = status === 'partial' ? describePartial(result) : resultProblem(result)
  const notes: Note[] = problem && severity !== 'ok' ? [{ severity, title: statusText(result), ...problem }] : []
  if (quarantined > 0 && status !== 'blocked_by_failures') {
    const title = `${quarantined} ${unit}${quarantined === 1 ? ' was' : 's were'} ${refused}`
    const nextStep = `Why: ${whyRefused(result.source)}`
    notes.push({ severity: 'warning', title, message: `${title}, the rest is in`, nextStep })
  }
  for (const problem of warningProblems(result.warnings))
    notes.push({ severity: 'warning', title: 'it has no pages', ...problem })
  return notes
}

/** What is wrong with how a run ended; null where nothing is, or the next run goes on by itself. */
export function resultProblem(result: RunResult): Problem | null {
  const { status, source } = result
  const { work } = countRun(result)
  if (status === 'failed') return { message: result.error.message, nextStep: result.error.hint }
  if (status === 'blocked' || status === 'blocked_by_failures')
    return statusProblem(
      { status, reason: 'reason' in result ? result.reason : null },
      source,
      work,
      statusWarning(result, result.warnings),
    )
  if (status !== 'busy') return null
  const since = result.holder.heldForMs === null ? '' : `, for ${formatDuration(result.holder.heldForMs)}`
  const message =
    statusWarning(result, result.warnings)?.message ??
    `being ${WORK[work].doing} by ${holderText(result.holder)}${since}`
  const nextStep = `Leave it to the next run, or wait for it: tidemark ${work} --source ${source} --wait 10m`
  return leaseProblem(result.holder, source, work) ?? { message, nextStep }
}

const isSelection = ({ code }: Warning) => code === 'nothing_selected'

/** What of these warnings is for someone to change. */
export function warningProblems(warnings: readonly Warning[]): Problem[] {
  return warnings
    .filter(isSelection)
    .map(({ code, message, hint = '' }) => ({ message: `${code}: ${message}`, nextStep: hint }))
}

/** The warnings that no problem or note shows already. */
export const otherWarnings = (result: RunResult) =>
  result.warnings.filter((each) => each !== statusWarning(result, result.warnings) && !isSelection(each))

/** What a run has settled, whatever became of it, and what it has left; null where it stopped before it knew. */
export function countRun(result: RunResult): { work: Work; done: number; quarantined: number; left: number | null } {
  if ('chunksEmbedded' in result) {
    const { chunksEmbedded, chunksQuarantined: quarantined, chunksRemaining: left } = result
    return { work: 'embed', done: chunksEmbedded + quarantined, quarantined, left }
  }
  const { filesImported, filesUpdated, filesRenamed, filesDeleted, filesQuarantined: quarantined } = result
  const done = filesImported + filesUpdated + filesRenamed + filesDeleted + quarantined
  return { work: 'sync', done, quarantined, left: result.filesRemaining }
}

/** How many more runs that settle as much as this one it takes; null where that can't be known. */
export function runsLeft(result: RunResult): number | null {
  const { left, done } = countRun(result)
  return left === null || done === 0 ? null : Math.ceil(left / done)
}

function describePartial(result: RunResult): Problem {
  const { work, left } = countRun(result)
  const runs = runsLeft(result)
  const more = runs === null ? '' : `, about ${runs} more ${runs === 1 ? 'run' : 'runs'} like this one`
  const message =
    left === null ? 'It stopped before it knew how much there is' : `${left} ${WORK[work].unit}s are left${more}`
  return { message, nextStep: 'What is in stays in; the next run goes on from there.' }
}

/** A status that a person has to do something about. */
type StuckStatus = Extract<SyncStatus, 'blocked' | 'blocked_by_failures' | 'failed'>

/**
 * What is wrong with a source whose last run ended so.
 *
 * @param ending its status, and the reason that is recorded for it.
 * @param detail what that run has said of it, where it is known.
 */
export function statusProblem(
  { status, reason }: { readonly status: StuckStatus; readonly reason: string | null },
  source: string,
  work: Work,
  { message: detail, hint }: { readonly message?: string | null; readonly hint?: string | null } = {},
): Problem {
  const again = `tidemark ${work} --source ${source}`
  const allow = `${again} --allow-mass-delete`
  const { manyRefused, lookAt } = WORK[work]
  const tooManyFiles = {
    message: detail ?? 'its commit has more files than the source may have',
    nextStep: hint ?? `If that is the right ref: tidemark sources set ${source} --max-files <count>`,
  }
  const deleted = detail ?? 'most of it would be deleted'
  const massDelete = hint
    ? { message: `${deleted}. If that is meant: ${allow}; if not:`, nextStep: hint }
    : { message: `${deleted}; if that is the right ref and the right folder:`, nextStep: allow }
  const problems: Record<StuckStatus, Problem> = {
    blocked: reason === 'too_many_files' ? tooManyFiles : massDelete,
    blocked_by_failures: {
      message: `${detail ?? manyRefused}; ${lookAt}, then:`,
      nextStep: `${again} --retry-quarantined`,
    },
    failed: { message: detail ?? 'its last run failed', nextStep: again },
  }
  return problems[status]
}

/** A holder renews every 15 s; one that has not three times is silent, and its lease, which ends after 90 s, may be broken. */
export const SILENT_MS = 45_000

type SeenHolder = Pick<Holder, 'host' | 'pid' | 'sinceRefreshMs'>

/** The lease of a holder that has died or hangs, which has not ended by itself; null where its holder is alive. */
export function leaseProblem(holder: SeenHolder, source: string, work: Work): Problem | null {
  if ((holder.sinceRefreshMs ?? 0) <= SILENT_MS) return null
  const message = `${holderText(holder)} holds its lease and shows no sign of life`
  return { message, nextStep: WORK[work].breakLease(source) }
}

export const holderText = ({ host, pid }: Pick<Holder, 'host' | 'pid'>) =>
  host === null || pid === null ? 'another process' : `process ${pid} on ${host}`

/** What brings a file in that is set aside. */
export const QUARANTINE_STEPS: Readonly<Record<QuarantineCode, string>> = {
  path_not_utf8: 'Rename the file.',
  path_too_long: 'Give the file, or its folders, a shorter name.',
  bad_utf8: 'Save the file as UTF-8.',
  nul: 'Remove the NUL characters, or exclude the file if it is no text.',
  too_large: 'Split the file, or exclude it.',
  bad_front_matter: 'Mend the lines at the top of the file.',
  lfs_pointer: 'Take the file out of Git LFS.',
  too_complex: 'Split the file, or exclude it.',
  parser_crashed: 'Exclude the file, and please report it.',
  refused_by_database: 'Shorten or change what the message names, or exclude the file.',
}

const REPORT = 'This looks like a fault of tidemark: please report it.'

/** How to go on after each fault of a lease. */
const LOCK_STEPS: Record<LockErrorCode, string> = {
  LOCK_BAD_OPTIONS: REPORT,
  LOCK_BAD_KEY: 'See the keys that there are: tidemark locks list',
  LOCK_BAD_TABLE: 'Change the table, or name another.',
  LOCK_CLOSED: REPORT,
  LOCK_DEADLOCK: REPORT,
  LOCK_FAILED: 'See whether the database answers: tidemark doctor',
  LOCK_FORBIDDEN: 'What this role has to be granted: tidemark doctor',
  LOCK_NOT_MIGRATED: 'tidemark migrate',
  LOCK_NO_TRANSACTION: REPORT,
  LOCK_TIMEOUT: 'See who has it: tidemark locks list',
  LEASE_LOST: 'Run it again; what is stored is kept.',
}

/** The library names its own function instead. */
const MISSING_LOCKS = 'the table of leases is missing, or of an older release'

/** The message of a table that cannot be taken over holds the remedy that the database has found. */
const BAD_TABLE = /^(.*)\. Remedy: (.*)$/s

/**
 * What an error says and what to do about it: its own hint where it has one, else by its code.
 *
 * @param otherwise the next step after an error that is not known
 * @param source what the error is of, where it is of a source
 */
export function errorProblem(
  error: unknown,
  otherwise = 'Run it again with --verbose to see what came before.',
  source = '<id>',
): Problem {
  type Fault = { message?: string; hint?: string; code?: string; cause?: Fault }
  const { message = String(error), hint, code, cause } = (error ?? {}) as Fault
  if (hint !== undefined) return { message, nextStep: stepForSource(hint, source) }
  // What the lock says of its database, the database has said better.
  if (code === 'LOCK_FAILED' && cause?.hint !== undefined) return errorProblem(cause, otherwise, source)
  if (code === 'LOCK_NOT_MIGRATED') return { message: MISSING_LOCKS, nextStep: LOCK_STEPS[code] }
  const badTable = code === 'LOCK_BAD_TABLE' ? BAD_TABLE.exec(message) : null
  if (badTable) return { message: badTable[1]!, nextStep: badTable[2]! }
  return { message, nextStep: LOCK_STEPS[code as LockErrorCode] ?? databaseStep(code) ?? otherwise }
}
