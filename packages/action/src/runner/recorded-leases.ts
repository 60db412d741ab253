import * as core from '@actions/core'
import type { Locks } from '@tidemark/lock'
import type { Database } from '@tidemark/sync-core'

const STATE = 'leases'

/**
 * The same database, whose leases are recorded with their tokens in the state of the step as they are taken. A step that
 * is killed, or whose database was away at its end, gives nothing back; its post step reads there what to give up.
 */
export function recordLeases(db: Database): Database {
  const tokens: Record<string, string> = {}
  const tryAcquire: Locks['tryAcquire'] = async (key, options) => {
    const attempt = await db.locks.tryAcquire(key, options)
    if (attempt.acquired) {
      tokens[key] = String(attempt.lease.token)
      core.saveState(STATE, tokens)
    }
    return attempt
  }
  return { ...db, locks: { ...db.locks, tryAcquire } }
}

/** The leases that the step before has recorded, `key → token`. */
export function readRecordedLeases(): Map<string, bigint> {
  const recorded = JSON.parse(core.getState(STATE) || '{}') as Record<string, string>
  return new Map(Object.entries(recorded).map(([key, token]) => [key, BigInt(token)]))
}
