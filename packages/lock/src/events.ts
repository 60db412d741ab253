import { channel } from 'node:diagnostics_channel'
import type { LeaseLostError, LossReason } from './lock-error.ts'
import type { LockHolder } from './lock-state.ts'

/** What happens to the leases of one `createLocks`; `token` is that of the lease. */
export type LeaseEvent = { readonly key: string; readonly token: bigint } & (
  | { readonly type: 'acquired'; readonly waitedMs: number }
  /** Another has the key: once for each lease that is waited for. */
  | { readonly type: 'contended'; readonly holder: LockHolder }
  | { readonly type: 'renewed'; readonly expiresInMs: number }
  /** A heartbeat failed or has no answer; if none succeeds, the lease is lost when `expiresInMs` are over. */
  | { readonly type: 'doubtful'; readonly expiresInMs: number; readonly cause: unknown }
  | { readonly type: 'lost'; readonly reason: LossReason; readonly error: LeaseLostError }
  | { readonly type: 'released' | 'resign_requested' }
  /** This `createLocks` broke somebody's lease. */
  | { readonly type: 'broken'; readonly holder: LockHolder }
)

export type EmitEvent = (event: LeaseEvent) => void

/** The same events of all `createLocks` of the process. */
const leaseChannel = channel('tidemark:lease')

/** A listener that throws costs no lease: its error becomes an uncaught one of the process. */
export function createEmit(onEvent: EmitEvent | undefined): EmitEvent {
  return (event) => {
    leaseChannel.publish(event)
    try {
      onEvent?.(event)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
