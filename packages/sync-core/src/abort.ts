import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** What {@link raceAbort} and {@link raceTimeout} resolve to where the work was too late. */
export const ABORTED = Symbol('aborted')

/**
 * Waits for work that cannot be aborted itself, but not longer than `graceMs` after the signal. What comes of the work
 * later is ignored.
 */
export async function raceAbort<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  graceMs: number,
): Promise<T | typeof ABORTED> {
  if (!signal) return work
  const done = new AbortController()
  const abort = async (): Promise<typeof ABORTED> => {
    if (!signal.aborted) await once(signal, 'abort', { signal: done.signal })
    return sleep(graceMs, ABORTED, { signal: done.signal })
  }
  try {
    return await Promise.race([work, abort()])
  } finally {
    done.abort()
  }
}

/** The same after a time. Keeps the process alive meanwhile, as the timer of `AbortSignal.timeout` does not. */
export async function raceTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T | typeof ABORTED> {
  const done = new AbortController()
  try {
    return await Promise.race([work, sleep<typeof ABORTED>(timeoutMs, ABORTED, { signal: done.signal })])
  } finally {
    done.abort()
  }
}
