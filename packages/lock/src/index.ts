/// <reference lib="esnext.disposable" preserve="true" />
export type { Contention } from './acquire.ts'
export type { BreakOptions, BreakResult, BreakSelection, BreakVerdict } from './break.ts'
export {
  type AcquireOptions,
  createLocks,
  type Locks,
  type TryOptions,
  type TryResult,
} from './create-locks.ts'
export type { LeaseEvent } from './events.ts'
export type { FenceSql, SqlTag } from './fence.ts'
export type { LeaderWork } from './leader.ts'
export type { Lease } from './lease.ts'
export { LeaseLostError, LockError, type LockErrorCode, type LossReason } from './lock-error.ts'
export type { LockHolder, LockState } from './lock-state.ts'
export type { ColumnNames, HolderName, LocksOptions } from './options.ts'
export type { Queryable } from './queryable.ts'
export type { Listener } from './wakeups.ts'
