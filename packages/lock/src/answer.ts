import { LockError } from './lock-error.ts'

/**
 * What comes of a statement. One that is on its way cannot be called back, but nobody needs to wait for it.
 *
 * @throws {LockError} `LOCK_FAILED` without a cause after `timeoutMs`; or the signal's reason.
 */
export function answerWithin<T>(
  timeoutMs: number,
  statement: Promise<T>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    const giveUp = (reason: unknown) => {
      end()
      reject(reason)
    }
    const onAbort = () => giveUp(signal!.reason)
    const timedOut = () =>
      giveUp(new LockError('LOCK_FAILED', `the database has not answered within ${Math.round(timeoutMs)} ms`))
    const timer = setTimeout(timedOut, timeoutMs)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort)
    statement.then((outcome) => {
      end()
      resolve(outcome)
    }, giveUp)
  })
}
