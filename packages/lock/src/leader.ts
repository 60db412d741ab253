import { sleepOrAbort } from './acquire.ts'
import { isTransient } from './database-error.ts'
import type { Lease } from './lease.ts'
import { runUnderLease } from './with-lock.ts'

export type LeaderWork = (lease: Lease, signal: AbortSignal) => Promise<unknown>

/** @param pauseMs after stepping down, so that others who wait are faster, and after a fault. */
export async function runWhileLeader(
  acquire: () => Promise<Lease>,
  work: LeaderWork,
  pauseMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    while (!signal.aborted) {
      const lease = await acquire().catch((error) => {
        if (signal.aborted || !isTransient(error)) throw error
      })
      if (lease)
        await runUnderLease(lease, signal, work).catch(async (error) => {
          if (!lease.signal.aborted) throw error
          // The error comes of the loss. The row may still be ours, and would keep us waiting.
          await lease.release()
        })
      if (!lease?.signal.aborted) await sleepOrAbort(pauseMs, signal)
    }
  } catch (error) {
    // The caller's signal, as itself or as the error of whatever it has aborted.
    if (!signal.aborted || (error !== signal.reason && (error as Error)?.name !== 'AbortError')) throw error
  }
}
