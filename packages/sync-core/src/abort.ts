/** What {@link raceAbort} resolves to where the work was too late. */
export const ABORTED = Symbol('aborted')

/**
 * Waits for work that cannot be aborted itself, but not longer than `graceMs` after the signal. What comes of the work
 * later is ignored.
 */
export async function raceAbort<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  graceMs = 0,
): Promise<T | typeof ABORTED> {
  if (!signal) return work
  const { promise: aborted, resolve } = Promise.withResolvers<typeof ABORTED>()
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(resolve, graceMs, ABORTED).unref()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}
