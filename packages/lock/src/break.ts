import { type LockHolder, parseLock, withJson } from './lock-state.ts'
import { checkDuration, checkKey } from './options.ts'
import { type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

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
export interface BreakVerdict {
  readonly verdict: 'broken' | 'refused'
  readonly key: string
  readonly holder: LockHolder
  readonly token: bigint
  readonly sinceRefreshMs: number | null
}

export type BreakResult = BreakVerdict | { readonly verdict: 'absent'; readonly key: string }

/** Looks, decides and breaks in one statement, which waits for fenced transactions. @returns by key, what is held. */
export async function breakLocks(
  db: Queryable,
  statements: Statements,
  { key, prefix = '', host, pid }: BreakSelection,
  { maxAgeMs, force = false, token }: BreakOptions,
): Promise<BreakVerdict[]> {
  if (key !== undefined) checkKey(key)
  checkDuration('maxAgeMs', maxAgeMs)
  const gate = [maxAgeMs ?? null, token === undefined ? null : String(token), force]
  const rows = await run(db, statements.break, [key ?? null, prefix, host ?? null, pid ?? null, ...gate])
  // The clock was set back: counted from now by the clock as it is, the next break sees an age.
  for (const row of rows) if (!row.broken && row.since_refresh_ms < 0) await run(db, statements.rebase, [row.key])
  return rows.map((row) => {
    const { token, holder, sinceRefreshMs } = parseLock(row)
    return withJson({ verdict: row.broken ? 'broken' : 'refused', key: row.key, holder, token, sinceRefreshMs })
  })
}
