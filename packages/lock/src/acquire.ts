import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerWithin } from './answer.ts'
import { LockError } from './lock-error.ts'
import { type LockFacts, type LockHolder, parseLock, withJson } from './lock-state.ts'
import type { Settings } from './options.ts'
import { isTransient, type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

/**
 * Another has the key: who, and for how long already. Where `expiresInMs` is not above 0 the lease has ended, but a
 * transaction of its holder that it fenced has not.
 */
export interface Contention extends LockFacts {
  readonly acquired: false
  readonly holder: LockHolder
}

/** The token of a new lease, and when the attempt that got it began. */
export interface Acquired {
  readonly acquired: true
  readonly token: bigint
  readonly startedAt: number
}

export interface AcquireRequest {
  readonly key: string
  readonly info: string | null
  readonly ttlMs: number
  readonly heartbeatMs: number
}

interface AcquireContext {
  readonly db: Queryable
  readonly statements: Statements
  readonly settings: Settings
  /** Told of what goes on after the call that began it has ended, for `close()` to wait for. */
  readonly track: (work: Promise<unknown>) => Promise<unknown>
}

/** One attempt, however often it is sent: what it has taken is found by its id, under the same token. */
export interface Attempt {
  /** @throws {LockError} also after `timeoutMs`, or the signal's reason: what comes of it then is given back in the end. */
  send(timeoutMs: number, signal: AbortSignal | undefined): Promise<Acquired | Contention>
  /** Ends it, once. @param token what came of it; null where it was given up. */
  settle(token: bigint | null): void
}

export function createAttempt(context: AcquireContext, { key, info, ttlMs, heartbeatMs }: AcquireRequest): Attempt {
  const { db, statements, settings, track } = context
  const { holder, holderId, marginMs } = settings
  const from = [holderId, holder.label ?? null, holder.host, holder.pid]
  const params = [key, ...from, info, randomUUID(), ttlMs, heartbeatMs]
  const trustMs = ttlMs - marginMs
  let late: string | undefined
  let settled: string | null | undefined
  const giveBack = (token: string) => track(run(db, statements.release, [key, token, null]).catch(() => {}))
  const onLate = async ([row]: any[]) => {
    if (!row.acquired || row.token === settled) return
    // The next time that it is sent may find it.
    if (settled === undefined) late = row.token
    else await giveBack(row.token)
  }

  return {
    async send(timeoutMs, signal) {
      const startedAt = performance.now()
      const asking = run(db, statements.acquire, params)
      const answer = answerWithin(Math.min(timeoutMs, settings.timeoutMs, trustMs), asking, { signal })
      const rows = await answer.catch((error) => {
        // A statement that is on its way cannot be called back.
        track(asking.then(onLate, () => {}))
        throw error
      })
      const [row] = rows
      if (row.acquired) {
        if (performance.now() - startedAt < trustMs) return { acquired: true, token: BigInt(row.token), startedAt }
        await onLate(rows)
        throw new LockError('LOCK_FAILED', `the lease of "${key}" had run out when the answer was read`)
      }
      const hidden = `the row of "${key}" can be neither seen nor made: is it hidden by row security?`
      if (row.token === null) throw new LockError('LOCK_FAILED', hidden)
      // The database's clock was set back: without this the lease would last for longer by as much.
      if (row.held.since_refresh_ms < 0)
        await answerWithin(settings.timeoutMs, run(db, statements.rebase, [key]), { signal })
      return withJson({ acquired: false as const, key, ...parseLock({ ...row.held, token: row.token }) })
    },
    settle(token) {
      if (settled !== undefined) return
      settled = token === null ? null : String(token)
      if (late !== undefined && late !== settled) giveBack(late)
    },
  }
}

const MAX_FAULTS = 3
/** Two that try at the same moment: the other has the row for as long as its commit takes. */
const MAX_RACES = 6

/** Tries for a key that is to be had now or not: again only where a connection failed or another is just taking it. */
export async function acquireNow(attempt: Attempt, signal: AbortSignal | undefined): Promise<Acquired | Contention> {
  for (let races = 0, faults = 1; ; ) {
    try {
      const outcome = await attempt.send(Number.POSITIVE_INFINITY, signal)
      if (outcome.acquired || outcome.expiresInMs > 0 || races >= MAX_RACES) return outcome
      await sleepOrAbort(2 ** races++, signal)
    } catch (error) {
      if (faults++ >= MAX_FAULTS || !isTransient(error) || signal?.aborted) throw error
    }
  }
}

/** The timer's own error would hide why the caller gave up. */
export async function sleepOrAbort(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch((error) => {
    throw signal?.aborted ? signal.reason : error
  })
}
