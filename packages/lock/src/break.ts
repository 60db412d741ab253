import type { LocksContext } from './context.ts'
import { type LockFacts, type LockHolder, parseLock, withJson } from './lock-state.ts'
import { checkDuration, checkKey } from './options.ts'
import { answerWithin, MAX_TIMER_MS, run } from './queryable.ts'

export interface BreakOptions {
  /** Break only what was silent for this long, and for three of its own heartbeats; by default, what has expired. */
  readonly maxAgeMs?: number | undefined
  /** Break a live holder's lease too. */
  readonly force?: boolean | undefined
  /** Break only the lease that has this token, as `inspect()` returned it. */
  readonly token?: bigint | undefined
  /** Ends the wait at once; the lease may be broken nevertheless. */
  readonly signal?: AbortSignal | undefined
}

/** Which locks are broken: those that match all of what is given. */
export interface BreakSelection {
  readonly key?: string | undefined
  readonly prefix?: string | undefined
  readonly host?: string | undefined
  readonly pid?: number | undefined
}

/** `refused`: its holder has shown life too recently, or it is not the lease of that token. */
export interface BreakVerdict extends Pick<LockFacts, 'key' | 'token' | 'sinceRefreshMs'> {
  readonly verdict: 'broken' | 'refused'
  readonly holder: LockHolder
}

export type BreakResult = BreakVerdict | { readonly verdict: 'absent'; readonly key: string }

/** Looks, decides and breaks in one statement, which waits for fenced transactions: no timeout but the signal. */
export async function breakLocks(
  { db, statements, emit, ask }: LocksContext,
  { key, prefix = '', host, pid }: BreakSelection,
  { maxAgeMs, force = false, token, signal }: BreakOptions,
): Promise<BreakVerdict[]> {
  if (key !== undefined) checkKey(key)
  checkDuration('maxAgeMs', maxAgeMs)
  const gate = [maxAgeMs ?? null, token?.toString() ?? null, force]
  const breaking = run(db, statements.break, [key ?? null, prefix, host ?? null, pid ?? null, ...gate])
  const rows = await answerWithin(MAX_TIMER_MS, breaking, signal)
  // The clock was set back: counted from now by the clock as it is, the next break sees an age.
  for (const row of rows) if (!row.broken && row.since_refresh_ms < 0) await ask(statements.rebase, [row.key], signal)
  return rows.map((row) => {
    const { key, token, holder, sinceRefreshMs } = parseLock(row)
    if (row.broken) emit({ type: 'broken', key, token, holder })
    return withJson({ verdict: row.broken ? 'broken' : 'refused', key, holder, token, sinceRefreshMs })
  })
}
