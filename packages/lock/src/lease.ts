import { LeaseLostError, LockError, type LossReason } from './lock-error.ts'
import { reasonOfLoss } from './loss.ts'
import type { Settings } from './options.ts'
import { type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

/** A key that is held. Ends by `release()`, or is lost: then `signal` aborts, once, with a {@link LeaseLostError}. */
export interface Lease extends AsyncDisposable {
  readonly key: string
  /** Greater than that of every lease of this key before; hand it to whatever must refuse a stale holder. */
  readonly token: bigint
  /** Aborts when the lease is lost, at the latest `ttlMs - marginMs` after the last confirmed refresh began. */
  readonly signal: AbortSignal
  /** Whether it is held, by the clock and not by the last timer that could fire. */
  readonly held: boolean
  /** @throws {LeaseLostError} when it is lost, or {LockError} `LOCK_CLOSED` after `release()`. */
  assertHeld(): void
  /**
   * A heartbeat now.
   *
   * @throws {LeaseLostError} when the database no longer knows the lease.
   * @throws {LockError} `LOCK_FAILED` when it does not answer; the lease may still hold.
   */
  refresh(): Promise<void>
  /**
   * As a statement of the caller's own transaction: makes a take-over wait until that transaction has ended.
   *
   * @throws {LeaseLostError} when another may hold the key by now. Then roll back.
   */
  fence(tx: Queryable): Promise<void>
  /**
   * The same check, to be part of the statement that writes: no row means that the lease is lost.
   *
   * ```ts
   * const fence = lease.fenceSql(1)
   * const { rows } = await db.query(
   *   `WITH fence AS MATERIALIZED (${fence.text})
   *    INSERT INTO log (line) SELECT $3 FROM fence RETURNING 1`,
   *   [...fence.params, 'written under the lease'],
   * )
   * if (rows.length === 0) throw new Error('the lease is lost')
   * ```
   *
   * @param n the number of the first of its two parameters.
   */
  fenceSql(n: number): { text: string; params: [string, string] }
  /** Gives the key free: true, or false where the lease was lost already. Can be called again, also after a fault. */
  release(): Promise<boolean>
}

/** What a lease's heartbeat does with it. */
export interface HeldLease extends Lease {
  /** The database has confirmed a renewal whose attempt began at that moment of the monotonic clock. */
  confirm(startedAt: number): void
  lose(reason: LossReason, cause?: unknown): void
  /** A renewal has failed or hangs; if it stays so, that is why the lease is lost. */
  doubt(cause: unknown): void
}

export interface LeaseContext {
  readonly db: Queryable
  readonly settings: Settings
  readonly statements: Statements
  /** Renews these leases by one statement. */
  readonly renew: (leases: readonly HeldLease[]) => Promise<void>
  /** Called when there is nothing more to renew. */
  readonly onEnd: (lease: HeldLease) => void
}

/**
 * @param startedAt when the attempt that took the lease began, by `performance.now()`: the database set the expiry
 *   later than that, so counting from here never trusts the lease for longer than the database does.
 */
export function holdLease(context: LeaseContext, key: string, token: bigint, startedAt: number): HeldLease {
  const { db, settings, statements, renew, onEnd } = context
  const trustMs = settings.ttlMs - settings.marginMs
  const controller = new AbortController()
  let deadline = startedAt + trustMs
  let lastConfirmedAt = new Date(Date.now() - (performance.now() - startedAt))
  let doubt: { cause: unknown } | undefined
  let releasing: Promise<boolean> | undefined
  let givenUp = false
  let lost: LeaseLostError | undefined
  let timer: NodeJS.Timeout | undefined

  const watch = () => {
    clearTimeout(timer)
    timer = setTimeout(checkDeadline, Math.max(0, deadline - performance.now()))
    timer.unref()
  }
  const checkDeadline = () => {
    if (lost || givenUp) return
    if (performance.now() >= deadline) lose(doubt ? 'unreachable' : 'expired', doubt?.cause)
    else watch()
  }
  const lose = (reason: LossReason, cause?: unknown) => {
    if (lost || givenUp) return
    lost = new LeaseLostError({ reason, key, token, lastConfirmedAt }, cause)
    clearTimeout(timer)
    onEnd(lease)
    controller.abort(lost)
  }
  const releaseNow = async (): Promise<boolean> => {
    givenUp = true
    clearTimeout(timer)
    onEnd(lease)
    const rows = await run(db, statements.release, [key, String(token)])
    return rows.length > 0
  }

  const lease: HeldLease = {
    key,
    token,
    signal: controller.signal,
    get held() {
      checkDeadline()
      return !lost && !givenUp
    },
    assertHeld() {
      checkDeadline()
      if (lost) throw lost
      if (givenUp) throw new LockError('LOCK_CLOSED', `the lease of "${key}" has been released`)
    },
    async refresh() {
      lease.assertHeld()
      await renew([lease])
      lease.assertHeld()
    },
    async fence(tx) {
      lease.assertHeld()
      const rows = await run(tx, statements.fence(1), [key, String(token)])
      if (rows.length > 0) return
      // Asked of the same transaction: another connection may not be there to be had.
      lose((await reasonOfLoss(tx, statements.inspect, key, token)) ?? 'taken')
      throw lost ?? new LeaseLostError({ reason: 'taken', key, token, lastConfirmedAt })
    },
    fenceSql: (n) => ({ text: statements.fence(n), params: [key, String(token)] }),
    release() {
      checkDeadline()
      if (lost) return Promise.resolve(false)
      if (!releasing) {
        releasing = releaseNow()
        // After a fault it can be called again; the lease is not held in any case.
        releasing.catch(() => {
          releasing = undefined
        })
      }
      return releasing
    },
    async [Symbol.asyncDispose]() {
      // The work's own error, or its success, counts; a lease that can't be given back expires.
      await lease.release().catch(() => {})
    },
    confirm(renewStartedAt) {
      if (lost || givenUp || renewStartedAt + trustMs <= deadline) return
      // Too late: the deadline has passed before the answer came, and whoever looked then was told so.
      checkDeadline()
      if (lost) return
      deadline = renewStartedAt + trustMs
      lastConfirmedAt = new Date(Date.now() - (performance.now() - renewStartedAt))
      // The timer stays: when it fires it finds the new deadline and waits on.
      doubt = undefined
    },
    lose,
    doubt(cause) {
      doubt ??= { cause }
    },
  }
  watch()
  return lease
}
