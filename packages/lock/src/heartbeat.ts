import { setTimeout as sleep } from 'node:timers/promises'
import { LockError, type LossReason } from './lock-error.ts'
import type { AcquireRequest } from './options.ts'
import { type Queryable, run } from './queryable.ts'

/** What the heartbeat needs of a lease, and what it calls. */
export interface Renewable extends AcquireRequest {
  readonly token: bigint
  /** When the last renewal was sent, by the monotonic clock. */
  sentAt: number
  renewed(sentAt: number, resignRequested: boolean): void
  /** A renewal failed or has no answer. */
  renewFailed(cause: unknown): void
  markLost(reason: LossReason | 'released'): void
}

/** What came of a renewal; `locked`: the lease holds, but another transaction has locked its row. */
type RenewOutcome = 'renewed' | 'locked' | 'released' | LossReason

/** @param connections After a heartbeat that failed or stalls, the next one goes over the next of them. */
export function createHeartbeat(connections: readonly Queryable[], renewSql: string) {
  const held = new Set<Renewable>()
  let current = 0
  let timer: NodeJS.Timeout | undefined
  let everyMs = Number.POSITIVE_INFINITY

  const schedule = () => {
    clearInterval(timer)
    everyMs = Math.min(...[...held].map(({ heartbeatMs }) => heartbeatMs))
    timer = held.size === 0 ? undefined : setInterval(tick, everyMs).unref()
  }
  const tick = () => {
    const nextTick = performance.now() + everyMs
    // renewFailed() has the error; the next tick tries again, whether this one is answered by then or not.
    renew([...held].filter(({ sentAt, heartbeatMs }) => nextTick > sentAt + heartbeatMs)).catch(() => {})
  }
  const send = (db: Queryable, leases: readonly Renewable[], info?: string | null) => {
    const rows = leases.map(({ key, token, ttlMs }, n) => ({ n, key, token: String(token), ttl_ms: ttlMs, info }))
    type Renewal = { n: number; outcome: RenewOutcome; resign_requested: boolean }
    return run<Renewal>(db, renewSql, [JSON.stringify(rows)])
  }
  const renew = async (leases: readonly Renewable[], info?: string | null, pausesMs = [10, 40]): Promise<void> => {
    if (leases.length === 0) return
    const sentAt = performance.now()
    for (const lease of leases) lease.sentAt = sentAt
    const connection = current
    const fail = (cause: unknown) => {
      if (current === connection) current = (current + 1) % connections.length
      for (const lease of leases) lease.renewFailed(cause)
    }
    const stallMs = Math.min(...leases.map(({ heartbeatMs }) => heartbeatMs))
    const stalled = new LockError('LOCK_FAILED', 'the database has not answered a heartbeat')
    const stallTimer = setTimeout(fail, stallMs, stalled).unref()
    const sending = send(connections[connection]!, leases, info).finally(() => clearTimeout(stallTimer))
    const renewals = await sending.catch((error) => {
      fail(error)
      throw error
    })
    for (const { n, outcome, resign_requested } of renewals) {
      if (outcome === 'renewed') leases[n]!.renewed(sentAt, resign_requested)
      else if (outcome !== 'locked') leases[n]!.markLost(outcome)
    }
    const locked = renewals.filter(({ outcome }) => outcome === 'locked').map(({ n }) => leases[n]!)
    if (locked.length === 0) return
    const [pauseMs, ...later] = pausesMs
    if (pauseMs === undefined) {
      const fault = new LockError('LOCK_FAILED', `another transaction has locked the row of "${locked[0]!.key}"`)
      for (const lease of locked) lease.renewFailed(fault)
      throw fault
    }
    // A break or take-over that is just being refused locks the row for as long as its statement takes.
    await sleep(pauseMs)
    await renew(locked, info, later)
  }

  return {
    add(lease: Renewable): void {
      held.add(lease)
      if (lease.heartbeatMs < everyMs) schedule()
    },
    remove(lease: Renewable): void {
      held.delete(lease)
      if (held.size === 0) schedule()
    },
    /** @param info JSON that is stored with them. @throws {LockError} where a fault kept one from being renewed. */
    renew,
    /** Why the database does not count it as held; null where it does, or the row is locked. */
    async askLossReason(lease: Renewable, over = connections[0]!): Promise<LossReason | 'released' | null> {
      const outcome = (await send(over, [lease]))[0]!.outcome
      return outcome === 'renewed' || outcome === 'locked' ? null : outcome
    },
    /** A heartbeat of the newest lease of a key, if there is one: it brings a request to resign at once. */
    renewKey(key: string): void {
      renew([...held].filter((lease) => lease.key === key).slice(-1)).catch(() => {})
    },
  }
}
