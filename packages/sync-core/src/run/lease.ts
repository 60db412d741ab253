import { setTimeout as sleep } from 'node:timers/promises'
import { type Lease, LockError, type LockState } from '@tidemark/lock'
import { type Database, withSignal } from '../database/database.ts'
import { raceTimeout } from '../race-abort.ts'
import type { Outcome } from './outcome.ts'
import { Stopped } from './outcome-from-error.ts'

/** The key of a source's lease, one for each thing that is done with it. */
export const leaseKey = (sourceId: string, task: 'sync' | 'embed' | 'search' = 'sync') => `${task}:${sourceId}`

type Busy = Extract<Outcome, { status: 'busy' }>

/** A lease, and what goes by it. Disposing of it releases the lease, whatever came of the work. */
export interface Held extends AsyncDisposable {
  readonly lease: Lease
  /** Aborts with the run's own signal, and when the lease is lost. */
  readonly signal: AbortSignal
  /** The run's database, whose statements end with that signal. */
  readonly db: Database
}

export interface LeaseOptions {
  readonly signal: AbortSignal
  /** How long to wait for a lease that another process has; not at all by default. */
  readonly waitMs?: number | undefined
}

/** Acquires a lease, or returns who has it. */
export async function acquireLease(db: Database, key: string, options: LeaseOptions): Promise<Held | Busy> {
  const { waitMs, signal: caller } = options
  const waited = waitMs ? await waitForLease(db, key, { waitMs, signal: caller }) : null
  if (waited !== null && 'status' in waited) return waited
  const attempt = waited
    ? ({ acquired: true, lease: waited } as const)
    : await db.locks.tryAcquire(key, { signal: caller })
  if (!attempt.acquired) return busy(attempt)
  const { lease } = attempt
  const signal = AbortSignal.any([caller, lease.signal])
  return { lease, signal, db: withSignal(db, signal), [Symbol.asyncDispose]: () => releaseWithRetry(lease) }
}

type Seen = Pick<LockState, 'holder' | 'heldForMs' | 'sinceRefreshMs'>

const busy = ({ holder, heldForMs, sinceRefreshMs }: Seen): Busy => {
  const { host, pid } = holder ?? { host: null, pid: null }
  return { status: 'busy', holder: { host, pid, heldForMs, sinceRefreshMs } }
}

/** Waits for a lease, as long as the budget lets it. After a wait in vain, null: an attempt tells who has it. */
async function waitForLease(
  db: Database,
  key: string,
  { waitMs, signal }: Required<LeaseOptions>,
): Promise<Lease | Busy | null> {
  try {
    return await db.locks.acquire(key, { waitMs, signal })
  } catch (error) {
    if (error instanceof LockError && error.code === 'LOCK_TIMEOUT') return null
    // A budget that was spent on waiting alone tells who it was spent on.
    if (!(error instanceof Stopped) || error.reason !== 'timeout') throw error
    const seen = await db.locks.inspect(key)
    if (!seen?.holder) throw error
    return busy(seen)
  }
}

const RELEASE_ATTEMPTS = 4
const RELEASE_RETRY_MS = 250

/** A database that does not answer is not waited for any longer; the lease then expires. */
const RELEASE_TIMEOUT_MS = 3_000

/**
 * Releases a lease, patiently: a server that is being restarted is there again in a second, and otherwise the
 * source would be busy until the lease expires. What the run did stands in any case.
 */
export async function releaseWithRetry(lease: Lease): Promise<void> {
  const deadline = performance.now() + RELEASE_TIMEOUT_MS
  const tryRelease = async () => {
    // A release that hangs may fail later; it is not retried then.
    for (let attempt = 1; performance.now() < deadline; attempt++) {
      const released = await lease.release().catch(() => null)
      if (released !== null || attempt === RELEASE_ATTEMPTS) return
      await sleep(RELEASE_RETRY_MS * attempt, undefined, { ref: false })
    }
  }
  await raceTimeout(tryRelease(), RELEASE_TIMEOUT_MS)
}
