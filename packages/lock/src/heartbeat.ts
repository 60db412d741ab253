import type { HeldLease } from './lease.ts'
import { LockError } from './lock-error.ts'
import { reasonOfLoss } from './loss.ts'
import type { Settings } from './options.ts'
import { type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

/** Renews all leases of a process by one statement, for as long as there are any. */
export interface Heartbeat {
  add(lease: HeldLease): void
  remove(lease: HeldLease): void
  renew(leases: readonly HeldLease[]): Promise<void>
  readonly leases: ReadonlySet<HeldLease>
}

export function startHeartbeat(
  db: Queryable,
  statements: Statements,
  { heartbeatMs, ttlMs }: Settings,
): Heartbeat {
  const leases = new Set<HeldLease>()
  let timer: NodeJS.Timeout | undefined
  let beating = false

  const beat = async () => {
    // A statement that hangs is not followed by a queue of others; each lease's own deadline ends the wait.
    if (beating) return
    beating = true
    try {
      await renew([...leases])
    } catch {
      // Each lease has been told; the next beat tries again.
    } finally {
      beating = false
    }
  }

  const renew = async (renewed: readonly HeldLease[]) => {
    if (renewed.length === 0) return
    const startedAt = performance.now()
    const hanging = setTimeout(() => {
      const silent = new LockError('LOCK_FAILED', 'the database has not answered a heartbeat')
      for (const lease of renewed) lease.doubt(silent)
    }, heartbeatMs)
    hanging.unref()
    try {
      const keys = renewed.map(({ key }) => key)
      const tokens = renewed.map(({ token }) => String(token))
      const rows = await run<{ key: string; token: string }>(db, statements.renew, [keys, tokens, ttlMs])
      const confirmed = new Set(rows.map(({ key, token }) => `${token} ${key}`))
      const missing: HeldLease[] = []
      for (const lease of renewed) {
        if (confirmed.has(`${lease.token} ${lease.key}`)) lease.confirm(startedAt)
        else missing.push(lease)
      }
      for (const lease of missing) {
        lease.lose((await reasonOfLoss(db, statements.inspect, lease.key, lease.token)) ?? 'expired')
      }
    } catch (error) {
      for (const lease of renewed) lease.doubt(error)
      throw error
    } finally {
      clearTimeout(hanging)
    }
  }

  return {
    leases,
    renew,
    add(lease) {
      leases.add(lease)
      timer ??= setInterval(beat, heartbeatMs).unref()
    },
    remove(lease) {
      leases.delete(lease)
      if (leases.size > 0) return
      clearInterval(timer)
      timer = undefined
    },
  }
}
