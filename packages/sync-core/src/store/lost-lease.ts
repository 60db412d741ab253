import type { Lease } from '@tidemark/lock'

/** The error of a lease whose fence did not hold; asks the database, because no heartbeat may have told it yet. */
export async function lostLease(lease: Lease): Promise<unknown> {
  try {
    await lease.refresh()
  } catch (error) {
    return error
  }
  return lease.signal.aborted ? lease.signal.reason : new Error(`the fence of ${lease.key} did not hold`)
}
