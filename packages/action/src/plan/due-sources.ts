import type { SourceStatus } from '@tidemark/sync-core'
import type { ConfiguredSource } from 'tidemark/config'
import type { Head } from '../heads.ts'
import { type BudgetLimits, budgetMs } from './budget.ts'

/** All that is known of a source before it is planned. */
export interface Candidate {
  readonly source: Pick<ConfiguredSource, 'id' | 'everyMs'>
  readonly standing: Pick<SourceStatus, 'bookmark' | 'dirty' | 'sinceCheckMs' | 'behindMs'>
  readonly head: Head
  /** What 95 of 100 of its runs stay below; null where it has no history. */
  readonly usualMs: number | null
}

export interface DueSource {
  readonly id: string
  readonly why: 'never_synced' | 'unfinished' | 'behind' | 'unreachable' | 'every'
  /** For how long at most it has not been what its ref is; infinite where it never was. */
  readonly staleMs: number
  readonly budgetMs: number
}

/**
 * The sources that have something to do, or of which nobody knows: most stale first, then those whose ref has not
 * moved and whose time has come only.
 */
export function dueSources(candidates: readonly Candidate[], limits: BudgetLimits): DueSource[] {
  const due = candidates.flatMap((candidate) => {
    const why = whyDue(candidate)
    if (why === null) return []
    const { source, standing } = candidate
    // What is left of a first sync, or of one that was stopped, is more than what a source usually gets.
    const usualMs = UNUSUAL.has(why) ? null : candidate.usualMs
    const { bookmark, behindMs, sinceCheckMs } = standing
    const staleMs =
      bookmark === null ? Number.POSITIVE_INFINITY : (behindMs ?? sinceCheckMs ?? Number.POSITIVE_INFINITY)
    return [{ id: source.id, why, staleMs, budgetMs: budgetMs(usualMs, limits) }]
  })
  return due.sort((a, b) => rank(a) - rank(b) || descending(a.staleMs, b.staleMs))
}

const UNUSUAL = new Set<DueSource['why']>(['never_synced', 'unfinished'])

function whyDue({ source, standing, head }: Candidate): DueSource['why'] | null {
  const { bookmark, dirty, sinceCheckMs } = standing
  if (bookmark === null) return 'never_synced'
  if (dirty) return 'unfinished'
  if ('problem' in head) return 'unreachable'
  if (head.commit !== bookmark) return 'behind'
  return sinceCheckMs === null || sinceCheckMs >= source.everyMs ? 'every' : null
}

const rank = ({ why }: DueSource) => (why === 'every' ? 1 : 0)

/** Infinity minus itself is no number. */
const descending = (a: number, b: number) => (a === b ? 0 : b > a ? 1 : -1)
