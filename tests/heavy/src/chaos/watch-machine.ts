import { setTimeout as sleep } from 'node:timers/promises'
import { createPool } from '../harness/harness.ts'

const EVERY_MS = 100

/**
 * Does what a heartbeat does, a durable write, all the while: where the machine or the server lets none through for most
 * of a lease, no holder can keep its own.
 */
export async function watchMachine(url: string) {
  const db = createPool(url)
  await db.query(`CREATE TABLE chaos.heartbeat AS SELECT clock_timestamp() AS at`)
  const stop = new AbortController()
  const stalls: { readonly ms: number; readonly endMs: number }[] = []
  let lastMs = performance.now()
  const beat = async () => {
    await db.query(
      'BEGIN; SET LOCAL synchronous_commit = on; UPDATE chaos.heartbeat SET at = clock_timestamp(); COMMIT',
    )
    const endMs = performance.now()
    if (endMs - lastMs > 2 * EVERY_MS) stalls.push({ ms: endMs - lastMs, endMs })
    lastMs = endMs
  }
  const watching = (async () => {
    while (!stop.signal.aborted) {
      // Where the server is away, that is what is measured.
      await beat().catch(() => {})
      await sleep(EVERY_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  return {
    /** The longest time without a beat that was not over before that moment. */
    longestStallMs(sinceMs: number): number {
      const since = stalls.filter(({ endMs }) => endMs >= sinceMs)
      return Math.max(performance.now() - lastMs, ...since.map(({ ms }) => ms))
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await watching
      await db.end()
    },
  }
}
