export type { Contention } from './acquire.ts'
export type { BreakOptions, BreakResult } from './break.ts'
export {
  type AcquireOptions,
  type Attempt,
  createLocks,
  type Locks,
  type TryOptions,
} from './create-locks.ts'
export type { LockHolder, LockState } from './held-lock.ts'
export type { Lease } from './lease.ts'
export { LeaseLostError, LockError, type LockErrorCode, type LossReason } from './lock-error.ts'
export type { ColumnNames, HolderName, LocksOptions } from './options.ts'
export type { Queryable } from './queryable.ts'
