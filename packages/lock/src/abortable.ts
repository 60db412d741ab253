/**
 * What comes of the work, or the signal's reason at once.
 *
 * @param onLate told of what comes of the work after that.
 */
export async function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onLate: (outcome: T) => void,
): Promise<T> {
  if (!signal) return work
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => {
    work.then(onLate, () => {})
    reject(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
