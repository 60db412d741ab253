import type { ProblemCode, RemoteHead, SourceStatus } from '@tidemark/sync-core'
import type { ConfiguredSource } from 'tidemark/config'

/** All that is known of a source before it is planned. */
export interface Candidate {
  readonly source: Pick<ConfiguredSource, 'id' | 'everyMs'>
  readonly status: Pick<SourceStatus, 'bookmark' | 'dirty' | 'sinceCheckMs' | 'behindMs'>
  readonly head: RemoteHead
  /** What of it is not as it should be, although its ref has not moved. */
  readonly incomplete?: IncompleteCode | null | undefined
  /** What 95 of 100 of its runs stay below; null where it has no history. */
  readonly p95Ms: number | null
}

type IncompleteCode = Extract<ProblemCode, 'settings_changed' | 'index_incomplete' | 'embeddings_incomplete'>

export interface DueSource {
  readonly id: string
  readonly reason: 'never_synced' | 'unfinished' | 'behind' | 'unreachable' | 'every' | IncompleteCode
  /** For how long at most it has not been what its ref is; infinite where it never was. */
  readonly staleMs: number
  readonly budgetMs: number
}

/**
 * The sources that have something to do, or whose ref cannot be read: most stale first, then those whose ref has not
 * moved and whose time has come only.
 */
export function dueSources(candidates: readonly Candidate[], limits: BudgetLimits): DueSource[] {
  const due = candidates.flatMap((candidate) => {
    const reason = dueReason(candidate)
    if (reason === null) return []
    const { source, status } = candidate
    // What is left of a first sync, or of one that was stopped, is more than what a source usually gets.
    const p95Ms = IGNORE_HISTORY.has(reason) ? null : candidate.p95Ms
    const { bookmark, behindMs, sinceCheckMs } = status
    const staleMs =
      bookmark === null ? Number.POSITIVE_INFINITY : (behindMs ?? sinceCheckMs ?? Number.POSITIVE_INFINITY)
    return [{ id: source.id, reason, staleMs, budgetMs: budgetMs(p95Ms, limits) }]
  })
  return due.sort((a, b) => rank(a) - rank(b) || descending(a.staleMs, b.staleMs))
}

const IGNORE_HISTORY = new Set<DueSource['reason']>([
  'never_synced',
  'unfinished',
  'settings_changed',
  'index_incomplete',
  'embeddings_incomplete',
])

function dueReason({ source, status, head, incomplete = null }: Candidate): DueSource['reason'] | null {
  const { bookmark, dirty, sinceCheckMs } = status
  if (bookmark === null) return 'never_synced'
  if (dirty) return 'unfinished'
  if ('problem' in head) return 'unreachable'
  if (head.commit !== bookmark) return 'behind'
  if (incomplete !== null) return incomplete
  return sinceCheckMs === null || sinceCheckMs >= source.everyMs ? 'every' : null
}

/** When the next of these sources is due, which is none yet, in milliseconds; null where there is none. */
export function nextDueMs(candidates: readonly Pick<Candidate, 'source' | 'status'>[]): number | null {
  if (candidates.length === 0) return null
  return Math.min(...candidates.map(({ source, status }) => Math.max(0, source.everyMs - (status.sinceCheckMs ?? 0))))
}

const rank = ({ reason }: DueSource) => (reason === 'every' ? 1 : 0)

/** Infinity minus itself is no number. */
const descending = (a: number, b: number) => (a === b ? 0 : b > a ? 1 : -1)

export interface BudgetLimits {
  readonly minMs: number
  readonly maxMs: number
}

/** A run may take half as long again as 95 of 100 did: repositories grow, and runners differ by that much. */
const BUDGET_FACTOR = 1.5

/**
 * How long the next run of a source may take.
 *
 * @param p95Ms what 95 of 100 of its runs took at most; null where its history says nothing of what is to be done.
 */
export function budgetMs(p95Ms: number | null, { minMs, maxMs }: BudgetLimits): number {
  if (p95Ms === null) return maxMs
  return Math.round(Math.min(maxMs, Math.max(minMs, p95Ms * BUDGET_FACTOR)))
}
