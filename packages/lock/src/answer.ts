import { LockError } from './lock-error.ts'

/**
 * What comes of a statement; or the signal's reason, or an error when time is over. A statement cannot be called back,
 * but nobody needs to wait for it.
 *
 * @param onLate told of what comes of it after that.
 * @throws {LockError} `LOCK_FAILED` without a cause after `timeoutMs`.
 */
export function answerWithin<T>(
  timeoutMs: number,
  statement: Promise<T>,
  { signal, onLate }: { signal?: AbortSignal | undefined; onLate?: (outcome: T) => void } = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let gaveUp = false
    const giveUp = (reason: unknown) => {
      gaveUp = true
      end()
      reject(reason)
    }
    const onAbort = () => giveUp(signal!.reason)
    const timer = setTimeout(
      () =>
        giveUp(
          new LockError('LOCK_FAILED', `the database has not answered within ${Math.round(timeoutMs)} ms`),
        ),
      timeoutMs,
    )
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    statement.then(
      (outcome) => {
        if (gaveUp) return onLate?.(outcome)
        end()
        resolve(outcome)
      },
      (error) => {
        end()
        reject(error)
      },
    )
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
