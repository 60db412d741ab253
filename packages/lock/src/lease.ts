import type { LocksContext } from './context.ts'
import { type FenceSql, runFence, type SqlTag } from './fence.ts'
import type { Renewable } from './heartbeat.ts'
import { badOption, LeaseLostError, LockError, type LossReason } from './lock-error.ts'
import { type AcquireRequest, checkDuration, infoJson } from './options.ts'
import type { Queryable } from './queryable.ts'

/** A key that is held. Ends by `release()`, or is lost: then `signal` aborts, once, with a {@link LeaseLostError}. */
export interface Lease {
  readonly key: string
  /** Greater than that of every lease of this key before; hand it to whatever must refuse a stale holder. */
  readonly token: bigint
  /** Aborts when the lease is lost, at the latest `ttlMs - marginMs` after the last confirmed refresh was sent. */
  readonly signal: AbortSignal
  /** Aborts when someone asks for the key by `requestResign()`; whether to follow is the holder's choice. */
  readonly resignSignal: AbortSignal
  /** Whether it is held, by the clock and not by the last timer that could fire. */
  readonly held: boolean
  /** How long it is held without a further heartbeat; 0 where it is not. */
  readonly expiresInMs: number
  /** @throws {LeaseLostError} when it is lost, or {LockError} `LOCK_CLOSED` after `release()`. */
  assertHeld(): void
  /** A heartbeat now. @throws {LeaseLostError}, or {LockError} `LOCK_FAILED`, after which the lease may still hold. */
  refresh(): Promise<void>
  /** Makes sure that it is held for that long from now, by a heartbeat where it must. @throws as `refresh()`. */
  ensure(ms: number): Promise<void>
  /** Notes another `info`, for people and programs to read, with a heartbeat. @throws as `refresh()`. */
  update(info: unknown): Promise<void>
  /**
   * As a statement of the caller's own transaction: a take-over and a break wait for its end, a heartbeat does not.
   *
   * @throws {LeaseLostError} when another may hold the key by now. Then roll back.
   * @throws {LockError} `LOCK_NO_TRANSACTION` outside of a transaction, where it would protect nothing.
   */
  fence(tx: Queryable): Promise<void>
  /**
   * The same check, to be part of the statement that writes: no row means that the lease is lost.
   *
   * ```ts
   * const fence = lease.fenceSql(2)
   * const { rows } = await db.query(
   *   `WITH fence AS MATERIALIZED (${fence.text}) INSERT INTO log (line) SELECT $1 FROM fence RETURNING 1`,
   *   ['written under the lease', ...fence.params],
   * )
   * if (rows.length === 0) throw new Error('the lease is lost')
   * ```
   *
   * @param n the number of the first of its two parameters.
   */
  fenceSql(n: number): FenceSql
  /** The same as a fragment of a query builder: `lease.fenceTag(sql)` with the `sql` of Drizzle, Kysely, postgres.js. */
  fenceTag<Fragment>(sql: SqlTag<Fragment>): Fragment
  /**
   * Frees the key: true, or false where the lease was over in the database. Can be called again, also after a fault. A
   * lease that was lost for want of an answer may still have its row, and is released too.
   *
   * @throws {LockError} where the database fails or does not answer, except for a lease that is lost.
   */
  release(): Promise<boolean>
  toJSON(): object
  [Symbol.asyncDispose](): Promise<void>
}

/** What the database granted. */
export interface Acquired {
  readonly acquired: true
  readonly token: bigint
  /** When the attempt was sent, by `performance.now()`: earlier than the database set the expiry, so safe to count from. */
  readonly startedAt: number
}

/** Reasons found by this process's clock alone: the row may still be ours, and is released. */
const LOCAL_REASONS: readonly LossReason[] = ['expired', 'unreachable']

/** Starts the heartbeat and the deadline of a lease that the database has just granted. */
export function createLease(context: LocksContext, request: AcquireRequest, { token, startedAt }: Acquired): Lease {
  const { statements, heartbeat, unreleased, emit, within, ask } = context
  const { key, ttlMs, trustMs, atLeastMs } = request
  const [before, between, after] = statements.fence
  const lossController = new AbortController()
  const resignController = new AbortController()
  let confirmedAt = startedAt
  let doubt: { cause: unknown } | undefined
  let pendingRelease: Promise<boolean> | undefined
  let released = false
  let lost: LeaseLostError | undefined
  let timer: NodeJS.Timeout | undefined

  const remainingMs = () => (lost || released ? 0 : Math.max(0, confirmedAt + trustMs - performance.now()))
  const checkDeadline = () => {
    if (lost || released) return
    clearTimeout(timer)
    if (remainingMs() === 0) end(doubt ? 'unreachable' : 'expired', doubt?.cause)
    else timer = setTimeout(checkDeadline, remainingMs()).unref()
  }
  const end = (reason: LossReason, cause?: unknown) => {
    const lastConfirmedAt = new Date(Date.now() - (performance.now() - confirmedAt))
    lost = new LeaseLostError(reason, { key, token, lastConfirmedAt }, cause)
    clearTimeout(timer)
    heartbeat.remove(renewable)
    if (!LOCAL_REASONS.includes(reason)) unreleased.delete(lease.release)
    emit({ type: 'lost', key, token, reason, error: lost })
    lossController.abort(lost)
  }
  const renew = async (info?: string | null) => {
    lease.assertHeld()
    try {
      await within(heartbeat.renew([renewable], info), lossController.signal)
    } finally {
      // Lost meanwhile counts for more than whatever came of the renewal.
      lease.assertHeld()
    }
  }
  const release = async (): Promise<boolean> => {
    const wasLost = lost !== undefined
    released = true
    clearTimeout(timer)
    heartbeat.remove(renewable)
    const [row] = await ask(statements.release, [key, String(token), atLeastMs])
    // Where nothing was released, an earlier release may have done it whose reply was lost.
    const reason = row.released ? 'released' : await within(heartbeat.askLossReason(renewable))
    unreleased.delete(lease.release)
    if (reason === 'released') emit({ type: 'released', key, token })
    else if (!wasLost) end(reason ?? 'deleted')
    return reason === 'released'
  }

  const lease: Lease = {
    key,
    token,
    signal: lossController.signal,
    resignSignal: resignController.signal,
    get held() {
      return remainingMs() > 0
    },
    get expiresInMs() {
      return remainingMs()
    },
    assertHeld() {
      checkDeadline()
      if (lost) throw lost
      if (released) throw new LockError('LOCK_CLOSED', `the lease of "${key}" has been released`)
    },
    refresh: () => renew(),
    async ensure(ms) {
      checkDuration('ms', ms)
      if (ms > trustMs) throw badOption(`a lease of ${ttlMs} ms cannot be ensured for ${ms} ms: ${trustMs} at most`)
      lease.assertHeld()
      if (remainingMs() < ms) await lease.refresh()
      if (remainingMs() < ms)
        throw new LockError('LOCK_FAILED', `the database took too long to ensure "${key}" for ${ms} ms`)
    },
    update: async (info) => renew(infoJson(info ?? null)),
    async fence(tx) {
      lease.assertHeld()
      if (await runFence(tx, lease.fenceSql(1))) return
      // In the same transaction: there may be no other connection.
      renewable.markLost((await heartbeat.askLossReason(renewable, tx)) ?? 'taken')
      lease.assertHeld()
    },
    fenceSql: (n) => ({ text: `${before}$${n}${between}$${n + 1}${after}`, params: [key, String(token)] }),
    fenceTag: (sql) => sql(Object.assign([...statements.fence], { raw: statements.fence }), key, String(token)),
    async release() {
      checkDeadline()
      if (lost && !LOCAL_REASONS.includes(lost.reason)) return false
      pendingRelease ??= release().catch((error) => {
        pendingRelease = undefined
        if (lost) return false
        throw error
      })
      return pendingRelease
    },
    toJSON: () => ({ key, token: String(token), held: lease.held, expiresInMs: lease.expiresInMs }),
    // The caller's own error or success counts; a lease that cannot be released expires.
    [Symbol.asyncDispose]: async () => void (await lease.release().catch(() => {})),
  }
  const renewable: Renewable = {
    ...request,
    token,
    sentAt: startedAt,
    renewed(sentAt, resignRequested) {
      if (resignRequested && !resignController.signal.aborted) {
        emit({ type: 'resign_requested', key, token })
        resignController.abort(new LockError('LOCK_CLOSED', `someone asks for "${key}"`))
      }
      // An answer after the deadline does not revive the lease. The timer finds the new deadline when it fires.
      checkDeadline()
      if (lost || released || sentAt <= confirmedAt) return
      confirmedAt = sentAt
      doubt = undefined
      emit({ type: 'renewed', key, token, expiresInMs: remainingMs() })
    },
    renewFailed(cause) {
      if (lost || released || doubt) return
      doubt = { cause }
      emit({ type: 'doubtful', key, token, expiresInMs: remainingMs(), cause })
    },
    markLost(reason) {
      if (!lost && !released) end(reason === 'released' ? 'broken' : reason)
    },
  }
  unreleased.add(lease.release)
  heartbeat.add(renewable)
  checkDeadline()
  return lease
}
