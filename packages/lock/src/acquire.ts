import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocksContext } from './context.ts'
import { isTransient } from './database-error.ts'
import { type Acquired, createLease, type Lease } from './lease.ts'
import { LockError } from './lock-error.ts'
import { type LockFacts, type LockHolder, parseLock, withJson } from './lock-state.ts'
import { type AcquireRequest, resolveRequest, type TryOptions } from './options.ts'
import { answerWithin, run } from './queryable.ts'

/**
 * Another has the key: who, and for how long already. Where `expiresInMs` is not above 0 the lease is over, but a
 * transaction that its holder fenced is not.
 */
export interface Contention extends LockFacts {
  readonly acquired: false
  readonly holder: LockHolder
}

export type TryResult = { readonly acquired: true; readonly lease: Lease } | Contention

/** Sends the attempt, the first time or again. @throws {LockError} also after `maxMs`, or the signal's reason. */
export type SendAttempt = (maxMs: number) => Promise<Acquired | Contention>

export async function acquireLease(
  context: LocksContext,
  key: string,
  options: TryOptions,
  campaign: (send: SendAttempt, signal: AbortSignal) => Promise<Acquired | Contention>,
): Promise<TryResult> {
  const request = resolveRequest(context.settings, key, options)
  const signal = context.untilClosed(options.signal)
  signal.throwIfAborted()
  const askedAt = performance.now()
  const deciding: Promise<Acquired | Contention> = campaign(
    createAttempt(context, request, signal, () => deciding),
    signal,
  )
  const outcome = await deciding
  if (!outcome.acquired) return outcome
  const lease = createLease(context, request, outcome)
  if (signal.aborted) await lease.release().catch(() => {})
  signal.throwIfAborted()
  context.emit({ type: 'acquired', key, token: lease.token, waitedMs: performance.now() - askedAt })
  // A holder listens too, for requests to resign.
  context.wakeups?.ready().catch(() => {})
  // A slow answer left too little time for a heartbeat and a fault.
  if (lease.expiresInMs < request.heartbeatMs * 2) lease.refresh().catch(() => {})
  return { acquired: true, lease }
}

/** One attempt, however often it is sent: what it acquired is found by its id, under the same token. */
function createAttempt(
  { db, statements, settings, ask, track }: LocksContext,
  { key, info, ttlMs, heartbeatMs, trustMs }: AcquireRequest,
  signal: AbortSignal,
  decided: () => Promise<Acquired | Contention>,
): SendAttempt {
  const { holder, holderId, timeoutMs } = settings
  const params = [key, holderId, holder.label ?? null, holder.host, holder.pid, info, randomUUID(), ttlMs, heartbeatMs]
  const releaseUnlessKept = async ([row]: any[]) => {
    if (!row.acquired) return
    // Until then, sending it again may find what an answer that came too late has acquired.
    const outcome = await decided().catch(() => null)
    if (!outcome?.acquired || outcome.token !== BigInt(row.token))
      await run(db, statements.release, [key, row.token, null])
  }

  return async (maxMs) => {
    const startedAt = performance.now()
    const asking = run(db, statements.acquire, params)
    // From now on: whoever gives up may close the locks in the same turn.
    track(asking.then(releaseUnlessKept))
    const [row] = await answerWithin(Math.min(maxMs, timeoutMs, trustMs), asking, signal)
    if (row.acquired) {
      if (performance.now() - startedAt < trustMs) return { acquired: true, token: BigInt(row.token), startedAt }
      throw new LockError('LOCK_FAILED', `the lease of "${key}" had run out when the answer was read`)
    }
    const hidden = `the row of "${key}" can be neither seen nor made: is it hidden by row security?`
    if (row.token === null) throw new LockError('LOCK_FAILED', hidden)
    // The database's clock was set back: without this the lease would last for longer by as much.
    if (row.held.since_refresh_ms < 0) await ask(statements.rebase, [key], signal)
    return withJson({ acquired: false as const, ...parseLock({ ...row.held, key, token: row.token }) })
  }
}

const MAX_FAULTS = 3
/** Two that try at the same moment: the other has the row for as long as its commit takes. */
const MAX_RACES = 6

/** Tries without waiting for a holder: again only after a fault, or while another is just acquiring the key. */
export async function acquireNow(send: SendAttempt, signal: AbortSignal): Promise<Acquired | Contention> {
  for (let races = 0, faults = 1; ; ) {
    try {
      const outcome = await send(Number.POSITIVE_INFINITY)
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
