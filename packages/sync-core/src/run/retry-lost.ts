import { setTimeout as sleep } from 'node:timers/promises'
import { isConnectionLost } from '../database/connection-lost.ts'

/** Of a run: a server that is restarted cuts it off once or twice, a statement that crashes it would each time. */
const MAX_LOSSES = 4
const FIRST_PAUSE_MS = 250

/**
 * Does work again whose statement was cut off with its connection: nobody knows then whether it is in, so the work must
 * find out by looking. The next statement waits for a server that is being restarted.
 */
export async function retryLost<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let losses = 1; ; losses++) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted || losses > MAX_LOSSES || !isConnectionLost(error)) throw error
      await sleep(FIRST_PAUSE_MS * losses, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}
