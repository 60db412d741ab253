import { once } from 'node:events'
import type { AcquireOptions, Lease, Locks } from '../../src/index.ts'

export interface Campaign {
  /** The leases under which the work has begun so far. */
  readonly terms: readonly Lease[]
  /** The lease of the n-th term, when it has begun. */
  term(n: number): Promise<Lease>
  /** Ends the campaign, and resolves when it has ended. */
  stop(): Promise<void>
}

/** Campaigns for a key; its work ends with its signal, or when it is asked to resign. */
export function campaign(locks: Locks, key = 'job', options: Omit<AcquireOptions, 'waitMs'> = {}): Campaign {
  const stopped = new AbortController()
  const terms: Lease[] = []
  let wake = Promise.withResolvers<void>()
  const running = locks.runWhileLeader(
    key,
    async (lease, signal) => {
      terms.push(lease)
      wake.resolve()
      wake = Promise.withResolvers()
      const end = AbortSignal.any([signal, lease.resignSignal])
      if (!end.aborted) await once(end, 'abort')
    },
    { ...options, signal: stopped.signal },
  )
  running.catch(() => {})
  return {
    terms,
    async term(n) {
      while (!terms[n - 1]) await Promise.race([wake.promise, running])
      return terms[n - 1]!
    },
    stop() {
      stopped.abort()
      return running
    },
  }
}
