import { agesOf, holderOf, type LockHolder } from './held-lock.ts'
import { checkDuration, checkKey, type Settings } from './options.ts'
import { type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

export interface BreakOptions {
  /** Break only what was not refreshed for this long; by default as long as a lease lasts. */
  readonly maxAgeMs?: number | undefined
  /** Break a live holder's lease too. */
  readonly force?: boolean | undefined
  /** Break only the lease that has this token, as `inspect()` told it. */
  readonly token?: bigint | undefined
  /** Ends the wait at once; the lease may be broken nevertheless. */
  readonly signal?: AbortSignal | undefined
}

export type BreakResult =
  | { readonly verdict: 'absent'; readonly key: string }
  | {
      /** `refused`: its holder has shown life too recently, or it is not the lease of that token. */
      readonly verdict: 'broken' | 'refused'
      readonly key: string
      readonly holder: LockHolder
      readonly token: bigint
      readonly sinceRefreshMs: number | null
    }

/** One statement that looks, decides and breaks. @throws {LockError} */
export async function breakLock(
  db: Queryable,
  statements: Statements,
  { ttlMs }: Settings,
  key: string,
  { maxAgeMs = ttlMs, force = false, token }: BreakOptions,
): Promise<BreakResult> {
  checkKey(key)
  checkDuration('maxAgeMs', maxAgeMs)
  const [row] = await run(db, statements.break, [
    key,
    maxAgeMs,
    token === undefined ? null : String(token),
    force,
  ])
  if (row === undefined || row.holder_id === null) return { verdict: 'absent', key }
  return {
    verdict: row.broken ? 'broken' : 'refused',
    key,
    holder: holderOf(row),
    token: BigInt(row.token),
    sinceRefreshMs: agesOf(row).sinceRefreshMs,
  }
}
