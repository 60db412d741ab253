/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A lease is one row: a key, a holder, a token, an expiry. A row is free (`holder_id` null), held (not expired), or
 * stale (expired, its holder still in it). Whoever finds it free or stale takes it and raises the token: to the
 * database's clock, or past the last one, so none repeats where a row was deleted. All times are the database's clock.
 *
 * - Acquire: reads; a held row is refused without a lock, another is locked with SKIP LOCKED and written.
 * - Renew: one statement for all leases of a process, every `heartbeatMs`. It matches key and token, never a name.
 * - Fence: FOR KEY SHARE on the row in the caller's transaction. A take-over waits for it, a heartbeat does not; a
 *   stale token finds no row, so it commits nothing.
 * - Break: frees a row whose holder was silent for long enough, looked at again under the row's lock.
 *
 * What fails and what then: a holder trusts its lease until `ttlMs - marginMs` after the last renewal that succeeded
 * was *sent*, by its own monotonic clock: sooner than the database gives it away. No answer by then, and its signal
 * aborts with a LeaseLostError. A statement whose answer comes late is undone or found again by its attempt id. A
 * holder that dies is succeeded after `ttlMs`; one that was paused is stopped by the fence.
 */
export type { Contention, TryResult } from './acquire.ts'
export type { BreakOptions, BreakResult, BreakSelection, BreakVerdict } from './break.ts'
export { createLocks, type Locks } from './create-locks.ts'
export type { LeaseEvent } from './events.ts'
export type { FenceSql, SqlTag } from './fence.ts'
export type { LeaderWork } from './leader.ts'
export type { Lease } from './lease.ts'
export { LeaseLostError, LockError, type LockErrorCode, type LossReason } from './lock-error.ts'
export type { LockHolder, LockState } from './lock-state.ts'
export type { AcquireOptions, ColumnNames, HolderName, LocksOptions, TryOptions } from './options.ts'
export type { Queryable } from './queryable.ts'
export type { Listener } from './wakeups.ts'
