import { setTimeout as sleep } from 'node:timers/promises'
import { answerWithin } from './answer.ts'
import { LockError, type LossReason } from './lock-error.ts'
import type { Settings } from './options.ts'
import { type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

/** A lease, as its heartbeat has to do with it. */
export interface Renewable {
  readonly key: string
  readonly token: bigint
  readonly ttlMs: number
  readonly heartbeatMs: number
  /** When the last renewal was sent, by the monotonic clock. */
  sentAt: number
  /** The database has confirmed a renewal whose attempt began at that moment. */
  renewed(startedAt: number): void
  /** A renewal has failed or hangs; if it stays so, that is why the lease is lost. */
  renewFailed(cause: unknown): void
  markLost(reason: LossReason): void
  resignRequested(): void
  release(): Promise<boolean>
}

/** Renews all leases of a process by one statement, for as long as there are any. */
export interface Heartbeat {
  add(lease: Renewable): void
  /** @param mayBeHeld whether the database may still have it for held, so that `close()` must give it back. */
  remove(lease: Renewable, options: { mayBeHeld: boolean }): void
  /** @param info what is noted with them, as JSON. @throws {LockError} where one of them was not renewed for a fault. */
  renew(leases: readonly Renewable[], info?: string | null): Promise<void>
  /** Why the database does not have it for held; null where it does. */
  askLossReason(lease: Renewable, over?: Queryable): Promise<LossReason | 'released' | null>
  /** Those that are held, and those that were lost for want of an answer. */
  unreleased(): readonly Renewable[]
  find(key: string): Renewable | undefined
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

/**
 * @param connections where a beat is sent; the next one goes to the other after it has failed or has no answer.
 */
export function createHeartbeat(
  connections: readonly Queryable[],
  statements: Statements,
  { timeoutMs }: Settings,
): Heartbeat {
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
    const now = performance.now()
    const dueBeforeNextTick = [...held].filter(
      ({ sentAt, heartbeatMs }) => now + everyMs > sentAt + heartbeatMs,
    )
    // Each lease is told of a fault; the next beat tries again, whether this one has its answer by then or not.
    renew(dueBeforeNextTick).catch(() => {})
  }

  const send = (db: Queryable, leases: readonly Renewable[], info?: string | null) => {
    const rows = leases.map(({ key, token, ttlMs }) => ({ key, token: String(token), ttl_ms: ttlMs, info }))
    return run<Renewal>(db, statements.renew, [JSON.stringify(rows)])
  }
  /** @returns those whose row is locked. */
  const renewOnce = async (leases: readonly Renewable[], info?: string | null): Promise<Renewable[]> => {
    const startedAt = performance.now()
    for (const lease of leases) lease.sentAt = startedAt
    const connection = current % connections.length
    const fail = (cause: unknown) => {
      if (current % connections.length === connection) current++
      for (const lease of leases) lease.renewFailed(cause)
    }
    const stallMs = Math.min(...leases.map(({ heartbeatMs }) => heartbeatMs))
    const stalled = new LockError('LOCK_FAILED', 'the database has not answered a heartbeat')
    const stallTimer = setTimeout(fail, stallMs, stalled).unref()
    try {
      return applyRenewals(leases, await send(connections[connection]!, leases, info), startedAt)
    } catch (error) {
      fail(error)
      throw error
    } finally {
      clearTimeout(stallTimer)
    }
  }
  const renew = async (leases: readonly Renewable[], info?: string | null) => {
    let locked = leases
    // Somebody's break or take-over that is just being refused has a row for as long as its statement takes.
    for (const pauseMs of [0, 10, 40]) {
      if (locked.length === 0) return
      if (pauseMs > 0) await sleep(pauseMs)
      locked = await renewOnce(locked, info)
    }
    for (const lease of locked) lease.renewFailed(rowLocked(lease.key))
    if (locked[0]) throw rowLocked(locked[0].key)
  }

  return {
    add(lease) {
      held.add(lease)
      unreleased.add(lease)
      if (lease.heartbeatMs < everyMs) schedule()
    },
    remove(lease, { mayBeHeld }) {
      held.delete(lease)
      if (!mayBeHeld) unreleased.delete(lease)
      if (held.size === 0) schedule()
    },
    renew,
    async askLossReason(lease, over = connections[0]!) {
      // The statement of a heartbeat tells it, and can do no harm: a lease that has ended is not renewed.
      const [row] = await answerWithin(timeoutMs, send(over, [lease]))
      return row?.renewed ? null : lossReason(row)
    },
    unreleased: () => [...unreleased],
    find: (key) => [...held].find((lease) => lease.key === key),
  }
}

/** @returns those that were not renewed because their row is locked. */
function applyRenewals(
  leases: readonly Renewable[],
  rows: readonly Renewal[],
  startedAt: number,
): Renewable[] {
  const answers = new Map(rows.map((row) => [`${row.token} ${row.key}`, row]))
  return leases.filter((lease) => {
    const row = answers.get(`${lease.token} ${lease.key}`)
    if (row?.resign_requested) lease.resignRequested()
    if (row?.renewed) lease.renewed(startedAt)
    const reason = row?.renewed ? null : lossReason(row)
    if (reason) lease.markLost(reason === 'released' ? 'broken' : reason)
    return !row?.renewed && !reason
  })
}

function rowLocked(key: string): LockError {
  return new LockError('LOCK_FAILED', `another transaction has locked the row of "${key}"`)
}

/** Why a row was not renewed; null where it holds, but someone has locked it. */
function lossReason(row: Renewal | undefined): LossReason | 'released' | null {
  if (row === undefined || row.present === null) return 'deleted'
  if (row.end_reason === 'broken' && (row.free || row.present !== row.token)) return 'broken'
  if (row.present !== row.token) return 'taken'
  if (row.free) return 'released'
  return row.expired ? 'expired' : null
}
