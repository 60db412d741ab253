import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease } from '@tidemark/lock'

const ATTEMPTS = 4
const PAUSE_MS = 250

/** A database that does not answer is not waited for any longer; the lease then expires. */
const AT_MOST_MS = 3_000

/**
 * Gives a lease back, patiently: a server that is being restarted is there again in a second, and otherwise the
 * source would be busy until the lease expires. What the run did stands in any case.
 */
export async function giveBack(lease: Lease): Promise<void> {
  const over = new AbortController()
  const limit = sleep(AT_MOST_MS, undefined, { ref: false, signal: over.signal }).catch(() => {})
  await Promise.race([tryRelease(lease, over.signal), limit])
  // A release that hangs may fail later; nobody waits for another attempt then.
  over.abort()
}

async function tryRelease(lease: Lease, over: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await lease.release()
      return
    } catch {
      if (attempt === ATTEMPTS || over.aborted) return
      await sleep(PAUSE_MS * attempt, undefined, { signal: over }).catch(() => {})
      if (over.aborted) return
    }
  }
}
