import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Queryable } from '../src/index.ts'
import { eventLog } from './peers/event-log.ts'
import { statementLog } from './peers/statement-log.ts'
import { lockWorld, routes } from './world/lock-world.ts'

/** A database whose answers to attempts are held up by that. */
const answering = (db: Queryable, afterAcquire: () => unknown): Queryable => ({
  async query(text, params) {
    const result = await db.query(text, params)
    if (text.includes('_acquire')) await afterAcquire()
    return result
  },
})

/** Holds the event loop: no timer fires. */
function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

describe.each(routes)('an attempt on %s', (route) => {
  test('with a signal that is aborted already sends nothing', async () => {
    await using world = await lockWorld(route)
    const log = statementLog(world.db)
    const reason = new Error('no more')
    const locks = world.another({}, log.db)
    for (const method of ['tryAcquire', 'acquire'] as const) {
      await expect(locks[method]('job', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    }
    expect(log.kinds).toEqual([])
  })

  test('that is aborted in whatever turn leaves the key to the caller, or to nobody', async () => {
    await using world = await lockWorld(route)
    const outcomes = new Set<boolean>()
    for (let turns = 0; turns < 24; turns++) {
      const key = `after ${turns} turns`
      const controller = new AbortController()
      const abort = async () => {
        for (let turn = 0; turn < turns; turn++) await null
        controller.abort()
      }
      const locks = world.another(
        {},
        answering(world.db, () => void abort()),
      )
      const attempt = await locks.tryAcquire(key, { signal: controller.signal }).catch(() => null)
      outcomes.add(attempt !== null)
      if (attempt?.acquired) expect(attempt.lease.held).toBe(true)
      else await world.locks.acquire(key, { waitMs: 10_000 })
    }
    expect(outcomes).toEqual(new Set([true, false]))
  })

  test('says for how long it has waited', async () => {
    await using world = await lockWorld(route)
    const { onEvent, ofType } = eventLog()
    const startedAt = performance.now()
    const locks = world.another(
      { onEvent },
      answering(world.db, () => block(20)),
    )
    await locks.acquire('job')
    const [event] = ofType('acquired')
    expect(event!.waitedMs).toBeGreaterThanOrEqual(20)
    expect(event!.waitedMs).toBeLessThanOrEqual(performance.now() - startedAt)
  })

  test.each([
    ['little', 1_500, 1],
    ['enough', 0, 0],
  ])('whose answer left %s time for heartbeats renews then so often: %#', async (_, tookMs, renewals) => {
    await using world = await lockWorld(route)
    const log = statementLog(answering(world.db, () => block(tookMs)))
    const locks = world.another({ ttlMs: 3_000, heartbeatMs: 900, marginMs: 200 }, log.db)
    await locks.acquire('job')
    await setImmediate()
    expect(log.count('renew')).toBe(renewals)
  })

  test('whose answer is read when the lease may be over fails, and gives the key back', async () => {
    await using world = await lockWorld(route)
    const locks = world.another(
      { ttlMs: 600, heartbeatMs: 100, marginMs: 100 },
      answering(world.db, () => block(550)),
    )
    await expect(locks.tryAcquire('job')).rejects.toMatchObject({ code: 'LOCK_FAILED' })
    await locks.close()
    expect(await world.locks.tryAcquire('job')).toMatchObject({ acquired: true })
  })
})
