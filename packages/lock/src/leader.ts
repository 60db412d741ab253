import { sleepOrAbort } from './acquire.ts'
import type { Lease } from './lease.ts'
import { isTransient } from './queryable.ts'

export type LeaderWork = (lease: Lease, signal: AbortSignal) => Promise<unknown>

/**
 * Campaigns, works while it leads, steps down, and campaigns again, until the signal. The work never runs twice at
 * once: that of a lost lease is waited for.
 *
 * @param pauseMs after stepping down, so that others who wait are faster, and after a fault.
 * @throws what the work throws while it leads, or a fault that will not pass.
 */
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
        return null
      })
      const lost = lease !== null && !(await lead(lease, work, signal))
      if (!lost) await sleepOrAbort(pauseMs, signal)
    }
  } catch (error) {
    // The caller's signal, as itself or as the error of whatever it has aborted.
    if (!signal.aborted || (error !== signal.reason && (error as Error)?.name !== 'AbortError')) throw error
  }
}

/** @returns whether it still led when the work returned. */
async function lead(lease: Lease, work: LeaderWork, signal: AbortSignal): Promise<boolean> {
  try {
    await work(lease, AbortSignal.any([lease.signal, signal]))
  } catch (error) {
    // Without the lease, the error comes of the loss.
    if (!lease.signal.aborted) throw error
  } finally {
    await lease.release().catch(() => {})
  }
  return !lease.signal.aborted
}
