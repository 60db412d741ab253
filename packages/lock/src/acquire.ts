import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LockError } from './lock-error.ts'
import { type LockFacts, type LockHolder, parseLock, withJson } from './lock-state.ts'
import type { Settings } from './options.ts'
import { answerWithin, isTransient, type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

/**
 * Another has the key: who, and for how long already. Where `expiresInMs` is not above 0 the lease is over, but a
 * transaction that its holder fenced is not.
 */
export interface Contention extends LockFacts {
  readonly acquired: false
  readonly holder: LockHolder
}

/** The token of a new lease, and when the attempt that got it was sent, by `performance.now()`. */
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
  readonly atLeastMs: number | null
}

export interface AcquireContext {
  readonly db: Queryable
  readonly statements: Statements
  readonly settings: Settings
  /** Registers what goes on after the call that began it, for `close()` to wait for. */
  readonly track: (work: Promise<unknown>) => void
}

/** One attempt, however often it is sent: what it acquired is found by its id, under the same token. */
export type Attempt = ReturnType<typeof createAttempt>

export function createAttempt(context: AcquireContext, { key, info, ttlMs, heartbeatMs }: AcquireRequest) {
  const { db, statements, settings, track } = context
  const { holder, holderId, marginMs } = settings
  const from = [holderId, holder.label ?? null, holder.host, holder.pid]
  const params = [key, ...from, info, randomUUID(), ttlMs, heartbeatMs]
  const trustMs = ttlMs - marginMs
  let lateToken: string | undefined
  let settledToken: string | null | undefined
  const releaseLate = (token: string) => track(run(db, statements.release, [key, token, null]).catch(() => {}))
  const onLateResult = ([row]: any[]) => {
    if (!row.acquired || row.token === settledToken) return
    // While the attempt goes on, sending it again may find it.
    if (settledToken === undefined) lateToken = row.token
    else releaseLate(row.token)
  }

  return {
    /** @throws {LockError} also after `timeoutMs`, or the signal's reason: a late result is released in the end. */
    async send(timeoutMs: number, signal: AbortSignal): Promise<Acquired | Contention> {
      const startedAt = performance.now()
      let gaveUp = false
      let rows: any[] | undefined
      const asking = run(db, statements.acquire, params).then((result) => {
        rows = result
        if (gaveUp) onLateResult(result)
        return result
      })
      // From now on: whoever gives up may close the locks in the same turn.
      track(asking.catch(() => {}))
      const [row] = await answerWithin(Math.min(timeoutMs, settings.timeoutMs, trustMs), asking, signal).catch(
        (error) => {
          gaveUp = true
          if (rows) onLateResult(rows)
          throw error
        },
      )
      if (row.acquired) {
        if (performance.now() - startedAt < trustMs) return { acquired: true, token: BigInt(row.token), startedAt }
        onLateResult([row])
        throw new LockError('LOCK_FAILED', `the lease of "${key}" had run out when the answer was read`)
      }
      const hidden = `the row of "${key}" can be neither seen nor made: is it hidden by row security?`
      if (row.token === null) throw new LockError('LOCK_FAILED', hidden)
      // The database's clock was set back: without this the lease would last for longer by as much.
      if (row.held.since_refresh_ms < 0)
        await answerWithin(settings.timeoutMs, run(db, statements.rebase, [key]), signal)
      return withJson({ acquired: false as const, key, ...parseLock({ ...row.held, token: row.token }) })
    },
    /** Ends the attempt, once. @param token of the lease that came of it; null where it was given up. */
    settle(token: bigint | null): void {
      if (settledToken !== undefined) return
      settledToken = token === null ? null : String(token)
      if (lateToken !== undefined && lateToken !== settledToken) releaseLate(lateToken)
    },
  }
}

const MAX_FAULTS = 3
/** Two that try at the same moment: the other has the row for as long as its commit takes. */
const MAX_RACES = 6

/** Tries without waiting for a holder: again only after a fault, or while another is just acquiring the key. */
export async function acquireNow(attempt: Attempt, signal: AbortSignal): Promise<Acquired | Contention> {
  for (let races = 0, faults = 1; ; ) {
    try {
      const outcome = await attempt.send(Number.POSITIVE_INFINITY, signal)
      if (outcome.acquired || outcome.expiresInMs > 0 || races >= MAX_RACES) return outcome
      await sleepOrAbort(2 ** races++, signal)
    } catch (error) {
      if (faults++ >= MAX_FAULTS || !isTransient(error) || signal.aborted) throw error
    }
  }
}

/** Throws the signal's reason; the timer's own error would hide why the caller gave up. */
export async function sleepOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error) => {
    throw signal.aborted ? signal.reason : error
  })
}
