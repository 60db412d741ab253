import { setTimeout as sleep } from 'node:timers/promises'
import { LockError, type LossReason } from './lock-error.ts'
import { type Queryable, run } from './queryable.ts'

/** What the heartbeat needs of a lease, and what it calls. */
export interface Renewable {
  readonly key: string
  readonly token: bigint
  readonly ttlMs: number
  readonly heartbeatMs: number
  /** When the last renewal was sent, by the monotonic clock. */
  sentAt: number
  renewed(sentAt: number): void
  /** A renewal failed or has no answer. */
  renewFailed(cause: unknown): void
  markLost(reason: LossReason): void
  resignRequested(): void
  release(): Promise<boolean>
}

/** Renews all leases of a process by one statement, for as long as there are any. */
export type Heartbeat = ReturnType<typeof createHeartbeat>

/** @param connections After a heartbeat that failed or stalls, the next one goes over the next of them. */
export function createHeartbeat(connections: readonly Queryable[], renewSql: string) {
  const held = new Set<Renewable>()
  const unreleased = new Set<Renewable>()
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
    const rows = leases.map(({ key, token, ttlMs }) => ({ key, token: String(token), ttl_ms: ttlMs, info }))
    return run<Renewal>(db, renewSql, [JSON.stringify(rows)])
  }
  /** @returns those whose row is locked. */
  const renewOnce = async (leases: readonly Renewable[], info?: string | null): Promise<Renewable[]> => {
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
    try {
      const rows = await send(connections[connection]!, leases, info)
      return applyRenewals(leases, rows, sentAt)
    } catch (error) {
      fail(error)
      throw error
    } finally {
      clearTimeout(stallTimer)
    }
  }
  const renew = async (leases: readonly Renewable[], info?: string | null): Promise<void> => {
    let locked = leases
    // A break or take-over that is just being refused locks the row for as long as its statement takes.
    for (const pauseMs of [0, 10, 40]) {
      if (locked.length === 0) return
      if (pauseMs > 0) await sleep(pauseMs)
      locked = await renewOnce(locked, info)
    }
    const fault = new LockError('LOCK_FAILED', `another transaction has locked the row of "${locked[0]?.key}"`)
    for (const lease of locked) lease.renewFailed(fault)
    if (locked.length > 0) throw fault
  }

  return {
    add(lease: Renewable): void {
      held.add(lease)
      unreleased.add(lease)
      if (lease.heartbeatMs < everyMs) schedule()
    },
    /** @param released whether the database has it no longer, so that `close()` has nothing to give back. */
    remove(lease: Renewable, { released }: { released: boolean }): void {
      held.delete(lease)
      if (released) unreleased.delete(lease)
      if (held.size === 0) schedule()
    },
    /** @param info JSON that is stored with them. @throws {LockError} where a fault kept one from being renewed. */
    renew,
    /** Why the database does not count it as held; null where it does, or the row is locked. */
    async askLossReason(lease: Renewable, over = connections[0]!): Promise<LossReason | 'released' | null> {
      const [row] = await send(over, [lease])
      return row?.renewed ? null : lossReason(row)
    },
    /** The held ones, and the lost ones whose row may still be ours. */
    unreleased: () => [...unreleased],
    /** The newest lease of a key. */
    find: (key: string) => [...held].findLast((lease) => lease.key === key),
  }
}

interface Renewal {
  readonly key: string
  readonly token: string
  readonly renewed: boolean
  readonly present: string | null
  readonly free: boolean
  readonly expired: boolean
  readonly end_reason: string | null
  readonly resign_requested: boolean
}

/** @returns those that were not renewed because their row is locked. */
function applyRenewals(leases: readonly Renewable[], rows: readonly Renewal[], sentAt: number): Renewable[] {
  const answers = new Map(rows.map((row) => [`${row.token} ${row.key}`, row]))
  return leases.filter((lease) => {
    const row = answers.get(`${lease.token} ${lease.key}`)
    if (row?.renewed) {
      if (row.resign_requested) lease.resignRequested()
      lease.renewed(sentAt)
      return false
    }
    const reason = lossReason(row)
    if (reason) lease.markLost(reason === 'released' ? 'broken' : reason)
    return reason === null
  })
}

/** Why a row was not renewed; null where it holds, but someone has locked it. */
function lossReason(row: Renewal | undefined): LossReason | 'released' | null {
  if (row === undefined || row.present === null) return 'deleted'
  if (row.end_reason === 'broken' && (row.free || row.present !== row.token)) return 'broken'
  if (row.present !== row.token) return 'taken'
  if (row.free) return 'released'
  return row.expired ? 'expired' : null
}
