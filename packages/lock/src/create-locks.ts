import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type AcquireContext,
  type Acquired,
  type Attempt,
  acquireNow,
  type Contention,
  createAttempt,
} from './acquire.ts'
import { type BreakOptions, type BreakResult, type BreakSelection, type BreakVerdict, breakLocks } from './break.ts'
import { createEmit } from './events.ts'
import { createHeartbeat } from './heartbeat.ts'
import { type LeaderWork, runWhileLeader } from './leader.ts'
import { createLease, type Lease, type LeaseContext } from './lease.ts'
import { badOption, LockError } from './lock-error.ts'
import { type LockState, parseLockState } from './lock-state.ts'
import { migrate, migrationSql } from './migrate.ts'
import { checkDuration, checkKey, infoJson, isTimer, type LocksOptions, resolveSettings } from './options.ts'
import { answerWithin, type Queryable, run } from './queryable.ts'
import { statementsFor } from './statements.ts'
import { MAX_PAUSE_MS, waitFor } from './wait.ts'
import { createWakeups } from './wakeups.ts'

export interface TryOptions {
  /** Stored with the lease, for people and programs to read; anything that JSON can hold. */
  readonly info?: unknown
  /** The `ttlMs` of this lease alone. */
  readonly ttlMs?: number | undefined
  /** How long others are kept away since it was acquired, also by an earlier release; by a crash for `ttlMs`. */
  readonly atLeastMs?: number | undefined
  /** Ends the wait at once, also for a database that does not answer. */
  readonly signal?: AbortSignal | undefined
}

export interface AcquireOptions extends TryOptions {
  /** How long to wait for a key that another has, and for a database that fails; without end by default. */
  readonly waitMs?: number | undefined
}

export type TryResult = { readonly acquired: true; readonly lease: Lease } | Contention

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

/** The leases under which a call runs, by their keys. */
const enclosing = new AsyncLocalStorage<ReadonlyMap<string, Lease>>()

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
  const connections = options.heartbeat ? [options.heartbeat, db] : [db]
  if (connections.some((each) => typeof each?.query !== 'function')) {
    throw badOption('a database must have query(text, params): a pg.Pool, a pg.Client or a PGlite')
  }
  const settings = resolveSettings(options)
  const statements = statementsFor(settings, { notify: options.listen !== undefined })
  const heartbeat = createHeartbeat(connections, statements.renew)
  const emit = createEmit(options.onEvent)
  const within = <T>(statement: Promise<T>) => answerWithin(settings.timeoutMs, statement)
  const ask = (text: string, params: unknown[]) => within(run(db, text, params))
  const background = new Set<Promise<unknown>>()
  const track = (work: Promise<unknown>) => {
    const tracked = work.finally(() => background.delete(tracked))
    background.add(tracked)
  }
  const drainBackground = async () => {
    while (background.size > 0) await Promise.all(background)
  }
  // A renewal of our own lease brings a request to resign at once.
  const renewKey = (key: string) => {
    const lease = heartbeat.find(key)
    if (lease) heartbeat.renew([lease]).catch(() => {})
  }
  const wakeups = options.listen ? createWakeups(options.listen, renewKey) : undefined
  const context: LeaseContext & AcquireContext = { db, settings, statements, heartbeat, emit, within, track }
  const closing = new AbortController()
  const untilClosed = (signal: AbortSignal | undefined) =>
    signal ? AbortSignal.any([signal, closing.signal]) : closing.signal

  const resolveRequest = (key: string, { info, ttlMs = settings.ttlMs, atLeastMs, signal }: TryOptions) => {
    checkKey(key)
    checkDuration('atLeastMs', atLeastMs)
    closing.signal.throwIfAborted()
    signal?.throwIfAborted()
    // A shorter lease beats faster, so that two of its heartbeats may fail too.
    const heartbeatMs = Math.min(settings.heartbeatMs, Math.floor((ttlMs - settings.marginMs) / 3))
    if (!isTimer(ttlMs) || heartbeatMs < 1)
      throw badOption(`ttlMs must be whole milliseconds, more than marginMs (${settings.marginMs}), not ${ttlMs}`)
    return { key, info: infoJson(info), ttlMs, heartbeatMs, atLeastMs: atLeastMs || null }
  }
  const acquireLease = async (
    key: string,
    options: TryOptions,
    send: (attempt: Attempt, signal: AbortSignal) => Promise<Acquired | Contention>,
  ): Promise<TryResult> => {
    const request = resolveRequest(key, options)
    const signal = untilClosed(options.signal)
    const attempt = createAttempt(context, request)
    const askedAt = performance.now()
    try {
      const outcome = await send(attempt, signal)
      if (!outcome.acquired) return outcome
      const { token, startedAt } = outcome
      attempt.settle(token)
      const lease = createLease(context, { ...request, token, startedAt })
      if (signal.aborted) await lease.release().catch(() => {})
      signal.throwIfAborted()
      emit({ type: 'acquired', key, token, waitedMs: performance.now() - askedAt })
      // A holder listens too, for requests to resign.
      wakeups?.ready().catch(() => {})
      // A slow answer left too little time for a heartbeat and a fault.
      if (lease.expiresInMs < request.heartbeatMs * 2) lease.refresh().catch(() => {})
      return { acquired: true, lease }
    } finally {
      attempt.settle(null)
    }
  }

  const locks: Locks = {
    migrate: ({ signal } = {}) => answerWithin(MAX_TIMER_MS, migrate(db, settings), signal),
    migrationSql: () => migrationSql(settings),
    async tryAcquire(key, options = {}) {
      const outcome = await acquireLease(key, options, acquireNow)
      if (!outcome.acquired) emit({ type: 'contended', key, token: outcome.token, holder: outcome.holder })
      return outcome
    },
    async acquire(key, options = {}) {
      const { waitMs = Number.POSITIVE_INFINITY } = options
      checkDuration('waitMs', waitMs, Number.POSITIVE_INFINITY)
      const wait = { key, waitMs, maxFaultMs: settings.ttlMs, wakeups, emit, enclosing: enclosing.getStore()?.get(key) }
      const outcome = await acquireLease(key, options, (attempt, signal) => waitFor(attempt, { ...wait, signal }))
      return (outcome as Extract<TryResult, { acquired: true }>).lease
    },
    async withLock(key, options, work) {
      const lease = await locks.acquire(key, options)
      const signal = AbortSignal.any([lease.signal, untilClosed(options.signal)])
      const workLease: Lease = Object.create(lease, { signal: { value: signal, enumerable: true } })
      let result: Awaited<ReturnType<typeof work>>
      try {
        result = await enclosing.run(new Map(enclosing.getStore()).set(key, lease), () => work(workLease, signal))
      } catch (error) {
        await lease.release().catch(() => {})
        // An AbortError after the loss comes of it; the loss says more.
        throw lease.signal.aborted && (error as Error)?.name === 'AbortError' ? lease.signal.reason : error
      }
      // The release may find it lost; without an answer, it counts as held until now.
      const releasing = lease.release().catch(() => {})
      if (!lease.signal.aborted) await releasing
      if (lease.signal.aborted) throw lease.signal.reason
      return result
    },
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
    async breakAll(selection, options = {}) {
      // No timeout but the signal: fenced transactions may take their time.
      const breaking = breakLocks(db, statements, selection, options)
      const results = await answerWithin(MAX_TIMER_MS, breaking, options.signal)
      for (const { verdict, key, token, holder } of results)
        if (verdict === 'broken') emit({ type: 'broken', key, token, holder })
      return results
    },
    async requestResign(key, { token } = {}) {
      checkKey(key)
      const params = [key, token === undefined ? null : String(token)]
      return (await ask(statements.requestResign, params)).length > 0
    },
    async prune({ olderThanMs }) {
      checkDuration('olderThanMs', olderThanMs)
      if (olderThanMs === undefined) throw badOption('olderThanMs must be milliseconds of 0 or more')
      return (await run(db, statements.prune, [olderThanMs]))[0].pruned
    },
    async close() {
      closing.abort(new LockError('LOCK_CLOSED', 'these locks have been closed'))
      const results = await Promise.allSettled(heartbeat.unreleased().map((lease) => lease.release()))
      await wakeups?.close().catch(() => {})
      // Late results of attempts that were given up are released too.
      await within(drainBackground()).catch(() => {})
      const failed = results.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    },
    [Symbol.asyncDispose]: () => locks.close(),
  }
  return locks
}

/** The longest that a timer waits. */
const MAX_TIMER_MS = 2 ** 31 - 1
