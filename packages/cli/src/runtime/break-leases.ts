import type { BreakOptions, BreakResult } from '@tidemark/lock'
import { type Database, leaseKey } from '@tidemark/sync-core'

/** What became of the lease of a source. */
export interface BrokenLease {
  readonly source: string
  readonly verdict: BreakResult['verdict']
  readonly holder: { readonly host: string; readonly pid: number } | null
  readonly sinceRefreshMs: number | null
}

/** Breaks the leases of sources whose holders show no sign of life. */
export function breakSourceLeases(
  db: Database,
  sources: readonly { readonly id: string }[],
  options: BreakOptions,
): Promise<BrokenLease[]> {
  const breakOne = async ({ id: source }: { readonly id: string }): Promise<BrokenLease> => {
    const result = await db.locks.break(leaseKey(source), options)
    const { verdict } = result
    if (verdict === 'absent') return { source, verdict, holder: null, sinceRefreshMs: null }
    const { host, pid } = result.holder
    return { source, verdict, holder: { host, pid }, sinceRefreshMs: result.sinceRefreshMs }
  }
  return Promise.all(sources.map(breakOne))
}
