import { acquireLease, acquireNow, type TryResult } from './acquire.ts'
import { type BreakOptions, type BreakResult, type BreakSelection, type BreakVerdict, breakLocks } from './break.ts'
import { createContext } from './context.ts'
import { type LeaderWork, runWhileLeader } from './leader.ts'
import type { Lease } from './lease.ts'
import { badOption, LockError } from './lock-error.ts'
import { type LockState, parseLockState } from './lock-state.ts'
import { migrate, migrationSql } from './migrate.ts'
import { type AcquireOptions, checkDuration, checkKey, type LocksOptions, type TryOptions } from './options.ts'
import { answerWithin, MAX_TIMER_MS, type Queryable, run } from './queryable.ts'
import { MAX_PAUSE_MS, waitFor } from './wait.ts'
import { runUnderLease } from './with-lock.ts'

/** Leases in one table of one database. */
export interface Locks {
  /** Creates or upgrades the table; can be called at every start, from many processes at once. */
  migrate(options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** What `migrate()` would run, for someone else to run. */
  migrationSql(): string
  /** Takes the key if it is free. */
  tryAcquire(key: string, options?: TryOptions): Promise<TryResult>
  /** Takes the key, waiting for it. @throws {LockError} `LOCK_TIMEOUT`, `LOCK_DEADLOCK`, or the signal's reason. */
  acquire(key: string, options?: AcquireOptions): Promise<Lease>
  /**
   * Runs work under a lease and then releases it. The work's `signal`, which is the lease's too, aborts when the lease
   * is lost, when the caller's does, and when these locks are closed.
   *
   * @throws {LeaseLostError} where the lease was lost by the end of work that succeeded.
   */
  withLock<T>(key: string, options: AcquireOptions, work: (lease: Lease, signal: AbortSignal) => Promise<T>): Promise<T>
  /**
   * Campaigns for the key, runs the work while it has it, and campaigns again, until the signal aborts.
   *
   * @throws what the work throws while it has the key.
   */
  runWhileLeader(key: string, work: LeaderWork, options?: Omit<AcquireOptions, 'waitMs'>): Promise<void>
  /** The lock of a key, or null where it was never taken. */
  inspect(key: string): Promise<LockState | null>
  /** The locks that are held or have expired without being taken again, in the order of their keys. */
  list(options?: { prefix?: string }): Promise<LockState[]>
  /** Ends a lease that is not one's own, if its holder has shown no sign of life for long enough. */
  break(key: string, options?: BreakOptions): Promise<BreakResult>
  /** The same for all locks of a selection. */
  breakAll(selection: BreakSelection, options?: BreakOptions): Promise<BreakVerdict[]>
  /** Asks the holder to give the key up: its `resignSignal` aborts by its next heartbeat. @returns whether anyone has it. */
  requestResign(key: string, options?: { token?: bigint }): Promise<boolean>
  /** Deletes the rows of keys that have been free for that long. @returns how many. */
  prune(options: { olderThanMs: number }): Promise<number>
  /** Releases all leases and aborts the signals of their work, for good. Can be called again after a fault. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens the locks of a table.
 *
 * ```ts
 * const locks = createLocks(new pg.Pool())
 * await locks.migrate()
 * await locks.withLock('nightly-report', { waitMs: 10_000 }, async (lease, signal) => {
 *   await writeReport({ signal })
 * })
 * await locks.close()
 * ```
 *
 * @throws {LockError} `LOCK_BAD_OPTIONS` before anything is sent.
 */
export function createLocks(db: Queryable, options: LocksOptions = {}): Locks {
  const context = createContext(db, options)
  const { settings, statements, closing, emit, wakeups, unreleased, background, within, ask, untilClosed } = context
  const locks: Locks = {
    migrate: ({ signal } = {}) => answerWithin(MAX_TIMER_MS, migrate(db, settings), signal),
    migrationSql: () => migrationSql(settings),
    async tryAcquire(key, options = {}) {
      const outcome = await acquireLease(context, key, options, acquireNow)
      if (!outcome.acquired) emit({ type: 'contended', key, token: outcome.token, holder: outcome.holder })
      return outcome
    },
    async acquire(key, options = {}) {
      const { waitMs = Number.POSITIVE_INFINITY } = options
      checkDuration('waitMs', waitMs, Number.POSITIVE_INFINITY)
      const outcome = await acquireLease(context, key, options, (...attempt) =>
        waitFor(context, key, waitMs, ...attempt),
      )
      return (outcome as Extract<TryResult, { acquired: true }>).lease
    },
    withLock: async (key, options, work) =>
      runUnderLease(await locks.acquire(key, options), untilClosed(options.signal), work),
    runWhileLeader(key, work, options = {}) {
      const pauseMs = Math.max(settings.heartbeatMs, MAX_PAUSE_MS * 1.2)
      return runWhileLeader(() => locks.acquire(key, options), work, pauseMs, untilClosed(options.signal))
    },
    async inspect(key) {
      checkKey(key)
      const [row] = await ask(statements.inspect, [key])
      return row ? parseLockState(row) : null
    },
    async list({ prefix = '' } = {}) {
      return (await ask(statements.list, [prefix])).map(parseLockState)
    },
    async break(key, options = {}) {
      const [result] = await locks.breakAll({ key }, options)
      return result ?? { verdict: 'absent', key }
    },
    breakAll: (selection, options = {}) => breakLocks(context, selection, options),
    async requestResign(key, { token } = {}) {
      checkKey(key)
      return (await ask(statements.requestResign, [key, token?.toString() ?? null])).length > 0
    },
    async prune({ olderThanMs }) {
      checkDuration('olderThanMs', olderThanMs)
      if (olderThanMs === undefined) throw badOption('olderThanMs must be milliseconds of 0 or more')
      return (await run(db, statements.prune, [olderThanMs]))[0].pruned
    },
    async close() {
      closing.abort(new LockError('LOCK_CLOSED', 'these locks have been closed'))
      const results = await Promise.allSettled([...unreleased].map((release) => release()))
      await wakeups?.close().catch(() => {})
      // Late results of attempts that were given up are released too.
      await within(Promise.all(background)).catch(() => {})
      const failed = results.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    },
    [Symbol.asyncDispose]: () => locks.close(),
  }
  return locks
}
