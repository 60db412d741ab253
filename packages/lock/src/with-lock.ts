import { AsyncLocalStorage } from 'node:async_hooks'
import type { Lease } from './lease.ts'

const enclosing = new AsyncLocalStorage<ReadonlyMap<string, Lease>>()

/** The lease of that key under which the call itself runs. */
export const enclosingLease = (key: string) => enclosing.getStore()?.get(key)

/** Runs work under a lease until `stop` aborts, and releases it. @throws what `withLock()` throws. */
export async function runUnderLease<T>(
  lease: Lease,
  stop: AbortSignal,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.any([lease.signal, stop])
  const workLease: Lease = Object.create(lease, { signal: { value: signal, enumerable: true } })
  let result: T
  try {
    result = await enclosing.run(new Map(enclosing.getStore()).set(lease.key, lease), () => work(workLease, signal))
  } catch (error) {
    await lease.release().catch(() => {})
    // An AbortError after the loss comes of it; the loss says more.
    throw lease.signal.aborted && (error as Error)?.name === 'AbortError' ? lease.signal.reason : error
  }
  // The release may find it lost; without an answer, it counts as held until now.
  const releasing = lease.release().catch(() => {})
  if (!lease.signal.aborted) await releasing
  if (lease.signal.aborted) throw lease.signal.reason
  return result
}
