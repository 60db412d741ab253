import { channel } from 'node:diagnostics_channel'
import type { LeaseLostError } from './lock-error.ts'
import type { LockHolder } from './lock-state.ts'

/** What happens to the leases of one `createLocks`. */
export type LeaseEvent =
  | { readonly type: 'acquired'; readonly key: string; readonly token: bigint; readonly waitedMs: number }
  /** Another has the key: once for each holder that is waited for. */
  | { readonly type: 'contended'; readonly key: string; readonly token: bigint; readonly holder: LockHolder }
  | { readonly type: 'renewed'; readonly key: string; readonly token: bigint; readonly expiresInMs: number }
  /** A heartbeat failed, or has no answer; the lease is lost when `expiresInMs` are over and none has succeeded. */
  | {
      readonly type: 'doubtful'
      readonly key: string
      readonly token: bigint
      readonly expiresInMs: number
      readonly cause: unknown
    }
  | { readonly type: 'lost'; readonly key: string; readonly token: bigint; readonly error: LeaseLostError }
  | { readonly type: 'released'; readonly key: string; readonly token: bigint }
  /** This `createLocks` broke somebody's lease, who had that token. */
  | { readonly type: 'broken'; readonly key: string; readonly token: bigint; readonly holder: LockHolder }
  | { readonly type: 'resign_requested'; readonly key: string; readonly token: bigint }

export type EmitEvent = (event: LeaseEvent) => void

/** The same events of all `createLocks` of the process, for whoever observes it. */
const leaseChannel = channel('tidemark:lease')

/** A listener that throws costs no lease: its error is the process's, as it is for a listener of an event emitter. */
export function createEmit(onEvent: ((event: LeaseEvent) => void) | undefined): EmitEvent {
  return (event) => {
    if (leaseChannel.hasSubscribers) leaseChannel.publish(event)
    try {
      onEvent?.(event)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
