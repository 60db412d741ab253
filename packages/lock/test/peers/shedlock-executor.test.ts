/**
 * What ShedLock's tests of its executor, listener, assertions, extender, keep-alive and tracking ask of work under a
 * lock; in the terms of this package. Suite: lukas-krecan/ShedLock at 2495b14, shedlock-core.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createLocks, type LeaseEvent } from '../../src/index.ts'
import { lockWorld, routes } from '../world/lock-world.ts'
import { eventLog } from './event-log.ts'
import { cut, sqlError, statementLog } from './statement-log.ts'

const QUICK = { ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 }

/** The errors that nobody caught while something ran, instead of failing the test run. */
async function uncaughtDuring(run: () => Promise<void>): Promise<Error[]> {
  const errors: Error[] = []
  const others = process.listeners('uncaughtException')
  const keep = (error: Error) => errors.push(error)
  process.removeAllListeners('uncaughtException').on('uncaughtException', keep)
  try {
    await run()
    await sleep(0)
  } finally {
    process.removeListener('uncaughtException', keep)
    for (const other of others) process.on('uncaughtException', other)
  }
  return errors
}

describe.each(routes)('on %s work under a lock', (route) => {
  test('can take another lock, and has both until each is done', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const locks = world.another({ onEvent: log.onEvent })
    await locks.withLock('outer', {}, () =>
      locks.withLock('inner', {}, async () => {
        expect((await world.locks.list()).map(({ key }) => key)).toEqual(['inner', 'outer'])
      }),
    )
    expect(log.events.map(({ type, key }) => `${type} ${key}`)).toEqual([
      'acquired outer',
      'acquired inner',
      'released inner',
      'released outer',
    ])
  })

  test('that takes its own lock again gets LOCK_DEADLOCK, and keeps the lock', async () => {
    await using world = await lockWorld(route, QUICK)
    await world.locks.withLock('job', {}, async (lease) => {
      await expect(world.locks.withLock('job', {}, async () => {})).rejects.toMatchObject({
        code: 'LOCK_DEADLOCK',
      })
      lease.assertHeld()
    })
  })

  test('emits acquired before it begins and released after it ends', async () => {
    await using world = await lockWorld(route, QUICK)
    const steps: string[] = []
    const locks = world.another({ onEvent: ({ type }) => steps.push(type) })
    await locks.withLock('job', {}, async () => {
      steps.push('work')
    })
    expect(steps).toEqual(['acquired', 'work', 'released'])
  })

  test('that fails emits released, too', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const failing = world
      .another({ onEvent: log.onEvent })
      .withLock('job', {}, () => Promise.reject(new Error('task failed')))
    await expect(failing).rejects.toThrow('task failed')
    expect(log.types()).toEqual(['acquired', 'released'])
  })

  test('that does not get its lock emits contended, and does not run', async () => {
    await using world = await lockWorld(route, QUICK)
    const { token } = await world.locks.acquire('job')
    const log = eventLog()
    let ran = false
    const refused = world.another({ onEvent: log.onEvent }).withLock('job', { waitMs: 0 }, async () => {
      ran = true
    })
    await expect(refused).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' })
    expect(ran).toBe(false)
    expect(log.events).toMatchObject([{ type: 'contended', key: 'job', token }])
  })

  test.each(['acquired', 'contended', 'released'])('is not harmed by a listener that throws on %s', async (type) => {
    await using world = await lockWorld(route, QUICK)
    const onEvent = (event: LeaseEvent) => {
      if (event.type === type) throw new Error('the listener failed')
    }
    const locks = world.another({ onEvent })
    const errors = await uncaughtDuring(async () => {
      const holder = await world.another().acquire('busy')
      expect(await locks.tryAcquire('busy')).toMatchObject({ acquired: false })
      await holder.release()
      expect(await locks.withLock('job', {}, async () => 'done')).toBe('done')
    })
    expect(errors.map(({ message }) => message)).toEqual(['the listener failed'])
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'released' })
  })

  test('can assert that it holds its lock, each of two its own', async () => {
    await using world = await lockWorld(route, QUICK)
    const outer = await world.locks.acquire('outer')
    const inner = await world.locks.acquire('inner')
    outer.assertHeld()
    await inner.release()
    expect(() => inner.assertHeld()).toThrow(expect.objectContaining({ code: 'LOCK_CLOSED' }))
    outer.assertHeld()
    await outer.release()
    expect(() => outer.assertHeld()).toThrow(expect.objectContaining({ code: 'LOCK_CLOSED' }))
  })

  test('can extend its lock, again and again, and in nested work the inner one alone', async () => {
    await using world = await lockWorld(route, { ...QUICK, heartbeatMs: 600 })
    await world.locks.withLock('outer', {}, async () => {
      const outer = await world.row('outer')
      await world.another().withLock('inner', {}, async (lease) => {
        const before = await world.row('inner')
        await sleep(5)
        await lease.refresh()
        await lease.ensure(500)
        expect((await world.row('inner')).expires_at.getTime()).toBeGreaterThan(before.expires_at.getTime())
      })
      expect(await world.row('outer')).toEqual(outer)
    })
  })

  test('fails where its lock cannot be extended any more', async () => {
    await using world = await lockWorld(route, QUICK)
    const running = world.locks.withLock('job', {}, async (lease) => {
      await world.expire('job')
      await world.another().acquire('job')
      await lease.refresh()
    })
    await expect(running).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'taken' })
  })
})

describe.each(routes)('on %s keeping alive', (route) => {
  test('renews a lock until it is released, and then no more', async () => {
    await using world = await lockWorld(route, QUICK)
    const log = eventLog()
    const statements = statementLog(world.db)
    const locks = world.another({ heartbeatMs: 100, onEvent: log.onEvent }, statements.db)
    const lease = await locks.acquire('job')
    await log.next('renewed', 3)
    await lease.release()
    const before = statements.count('renew')
    await sleep(250)
    expect(statements.count('renew')).toBe(before)
  })

  test('ends when the lock can no more be renewed', async () => {
    await using world = await lockWorld(route, QUICK)
    const statements = statementLog(world.db)
    const lease = await world.another({ heartbeatMs: 100 }, statements.db).acquire('job')
    await world.another().break('job', { force: true })
    await once(lease.signal, 'abort')
    expect(lease.signal.reason).toMatchObject({ reason: 'broken' })
    const before = statements.count('renew')
    await sleep(250)
    expect(statements.count('renew')).toBe(before)
  })

  test('of a lock that would not last long enough for it is refused before anything is sent', async () => {
    await using world = await lockWorld(route, QUICK)
    const statements = statementLog(world.db)
    const locks = world.another({}, statements.db)
    for (const ttlMs of [0, -1_000, QUICK.marginMs, QUICK.marginMs + 2])
      await expect(locks.tryAcquire('job', { ttlMs })).rejects.toMatchObject({ code: 'LOCK_BAD_OPTIONS' })
    expect(statements.kinds).toEqual([])
  })
})

describe.each(routes)('on %s held locks', (route) => {
  test('are those that were taken and not yet released, and closing releases the rest', async () => {
    await using world = await lockWorld(route, QUICK)
    const locks = world.another({ holder: { label: 'worker' } })
    const a = await locks.acquire('a')
    const b = await locks.acquire('b')
    const keys = async () => (await world.locks.list()).map(({ key }) => key)
    expect(await keys()).toEqual(['a', 'b'])
    await a.release()
    await b.refresh()
    expect(await keys()).toEqual(['b'])
    await locks.close()
    expect(await keys()).toEqual([])
    expect(b.held).toBe(false)
  })

  test('are released once, however often that is asked', async () => {
    await using world = await lockWorld(route, QUICK)
    const statements = statementLog(world.db)
    const lease = await world.another({}, statements.db).acquire('job')
    expect(await Promise.all([lease.release(), lease.release()])).toEqual([true, true])
    expect(await lease.release()).toBe(true)
    expect(statements.count('release')).toBe(1)
  })
})

describe.each(routes)('on %s the database', (route) => {
  test('is not asked for anything before a lock is', async () => {
    await using world = await lockWorld(route, QUICK)
    const statements = statementLog(world.db)
    createLocks(statements.db, { ...QUICK, table: world.table })
    await sleep(20)
    expect(statements.kinds).toEqual([])
  })

  test('that breaks a try off for a race is asked again', async () => {
    await using world = await lockWorld(route, QUICK)
    const statements = statementLog(world.db, (kind) => {
      if (kind === 'acquire' && statements.count('acquire') === 1) throw sqlError('40001')
    })
    expect(await world.another({}, statements.db).tryAcquire('job')).toMatchObject({ acquired: true })
  })

  test.each(['22012', '42501'])('that fails by %s is an error of the lock at once, with its cause', async (code) => {
    await using world = await lockWorld(route, QUICK)
    const statements = statementLog(world.db, () => {
      throw sqlError(code)
    })
    const locks = world.another({}, statements.db)
    const error = { code: code === '42501' ? 'LOCK_FORBIDDEN' : 'LOCK_FAILED', cause: { code } }
    await expect(locks.tryAcquire('job')).rejects.toMatchObject(error)
    await expect(locks.acquire('job')).rejects.toMatchObject(error)
    expect(statements.kinds).toEqual(['acquire', 'acquire'])
  })

  test('that was away for a try is asked anew by the next', async () => {
    await using world = await lockWorld(route, QUICK)
    let away = true
    const { db } = statementLog(world.db, () => {
      if (away) throw cut()
    })
    const locks = world.another({}, db)
    await expect(locks.tryAcquire('job')).rejects.toMatchObject({ code: 'LOCK_FAILED' })
    away = false
    expect(await locks.tryAcquire('job')).toMatchObject({ acquired: true })
  })
})
