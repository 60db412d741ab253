import { abortable } from './abortable.ts'
import { type Contention, type Taken, tryTake, waitFor } from './acquire.ts'
import { type BreakOptions, type BreakResult, breakLock } from './break.ts'
import { startHeartbeat } from './heartbeat.ts'
import { type LockState, lockState } from './held-lock.ts'
import { type HeldLease, holdLease, type Lease } from './lease.ts'
import { LockError } from './lock-error.ts'
import { migrate, migrationSql } from './migrate.ts'
import { checkDuration, checkKey, type LocksOptions, settingsOf } from './options.ts'
import { type Queryable, run } from './queryable.ts'
import { statementsFor } from './statements.ts'

export interface TryOptions {
  /** Noted with the lease, for people and programs to read; anything that JSON can hold. */
  readonly info?: unknown
  /** Ends the wait at once, also for a database that does not answer. */
  readonly signal?: AbortSignal | undefined
}

export interface AcquireOptions extends TryOptions {
  /** How long to wait for a key that another has; without end by default. */
  readonly waitMs?: number | undefined
}

export type Attempt = { readonly acquired: true; readonly lease: Lease } | Contention

/** Leases in one table of one database. */
export interface Locks extends AsyncDisposable {
  /** Creates or upgrades the table; can be called at every start, from many processes at once. */
  migrate(): Promise<void>
  /** What `migrate()` would run, for someone else to run. */
  migrationSql(): string
  /** Takes the key if it is free. */
  tryAcquire(key: string, options?: TryOptions): Promise<Attempt>
  /** Takes the key, waiting for it. @throws {LockError} `LOCK_TIMEOUT`, or the signal's reason. */
  acquire(key: string, options?: AcquireOptions): Promise<Lease>
  /** Runs work under a lease and gives it up afterwards, whatever comes of the work. */
  withLock<T>(key: string, options: AcquireOptions, work: (lease: Lease) => Promise<T>): Promise<T>
  /** The lock of a key, or null where it was never taken. */
  inspect(key: string): Promise<LockState | null>
  /** The locks that are held or have expired without being taken again, in the order of their keys. */
  list(options?: { prefix?: string }): Promise<LockState[]>
  /** Ends a lease that is not one's own, if its holder has shown no sign of life for long enough. */
  break(key: string, options?: BreakOptions): Promise<BreakResult>
  /** Stops the heartbeat and gives up what is still held. Nothing can be taken afterwards. */
  close(): Promise<void>
}

/**
 * Opens the locks of a table.
 *
 * ```ts
 * const locks = createLocks(new pg.Pool())
 * await locks.migrate()
 * await locks.withLock('nightly-report', { waitMs: 10_000 }, async (lease) => {
 *   await writeReport({ signal: lease.signal })
 * })
 * await locks.close()
 * ```
 *
 * @throws {LockError} `LOCK_BAD_OPTIONS` before anything is sent.
 */
export function createLocks(db: Queryable, options: LocksOptions = {}): Locks {
  if (typeof db?.query !== 'function') {
    throw new LockError(
      'LOCK_BAD_OPTIONS',
      'the first argument must have query(text, params): a pg.Pool, a pg.Client or a PGlite',
    )
  }
  const settings = settingsOf(options)
  const statements = statementsFor(settings)
  const heartbeat = startHeartbeat(db, statements, settings)
  const context = { db, settings, statements, renew: heartbeat.renew, onEnd: heartbeat.remove }
  let closed = false

  const open = (key: string) => {
    checkKey(key)
    if (closed) throw new LockError('LOCK_CLOSED', 'these locks have been closed')
  }
  const hold = async (
    key: string,
    { token, startedAt }: Taken,
    signal: AbortSignal | undefined,
  ): Promise<Lease> => {
    const lease: HeldLease = holdLease(context, key, token, startedAt)
    heartbeat.add(lease)
    // Whoever gave up while the statement was on its way will not release what came of it.
    if (closed || signal?.aborted) {
      await lease.release()
      signal?.throwIfAborted()
      throw new LockError('LOCK_CLOSED', 'these locks have been closed')
    }
    return lease
  }

  /** A statement cannot be called back, but nobody needs to wait for it; what it has taken then is given back. */
  const attempt = (key: string, { info, signal }: TryOptions) =>
    abortable(tryTake(db, statements, settings, key, info), signal, (late) => {
      if (late.acquired) run(db, statements.release, [key, String(late.token)]).catch(() => {})
    })

  const locks: Locks = {
    migrate: () => migrate(db, settings),
    migrationSql: () => migrationSql(settings),
    async tryAcquire(key, options = {}) {
      open(key)
      options.signal?.throwIfAborted()
      const outcome = await attempt(key, options)
      return outcome.acquired ? { acquired: true, lease: await hold(key, outcome, options.signal) } : outcome
    },
    async acquire(key, options = {}) {
      open(key)
      const { signal, waitMs } = options
      checkDuration('waitMs', waitMs)
      const again = () => {
        open(key)
        return attempt(key, options)
      }
      return hold(key, await waitFor(again, key, waitMs ?? Number.POSITIVE_INFINITY, signal), signal)
    },
    async withLock(key, options, work) {
      await using lease = await locks.acquire(key, options)
      return await work(lease)
    },
    async inspect(key) {
      checkKey(key)
      const [row] = await run(db, statements.inspect, [key])
      return row ? lockState(row) : null
    },
    async list({ prefix = '' } = {}) {
      return (await run(db, statements.list, [prefix])).map(lockState)
    },
    break: (key, options = {}) =>
      abortable(breakLock(db, statements, settings, key, options), options.signal, () => {}),
    async close() {
      closed = true
      const results = await Promise.allSettled([...heartbeat.leases].map((lease) => lease.release()))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    },
    [Symbol.asyncDispose]: () => locks.close(),
  }
  return locks
}
