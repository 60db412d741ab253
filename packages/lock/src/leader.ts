import { sleepOrAbort } from './acquire.ts'
import type { Lease } from './lease.ts'
import { isTransient } from './queryable.ts'

export type LeaderWork = (lease: Lease, signal: AbortSignal) => Promise<unknown>

/**
 * Campaigns, works while it leads, steps down, and campaigns again, until the signal. The work ends when its signal
 * aborts: the lease is lost, or the caller's signal. Where it ends by itself it has stepped down, and others get their
 * turn. It never runs twice at once: a lost lease's work is waited for.
 *
 * @param acquire waits for the key.
 * @param pauseMs after stepping down, so that someone who waits is faster, and after a fault.
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

/** @returns whether it led until the work had ended. */
async function lead(lease: Lease, work: LeaderWork, signal: AbortSignal): Promise<boolean> {
  try {
    await work(lease, AbortSignal.any([lease.signal, signal]))
  } catch (error) {
    // What it throws without the lease comes of the loss, which it was told of by its signal.
    if (!lease.signal.aborted) throw error
  } finally {
    await lease.release().catch(() => {})
  }
  return !lease.signal.aborted
}
