import { describe, expect, test } from 'vitest'
import type { Lease, Locks } from '../src/index.ts'
import { lockWorld, routes } from './world/lock-world.ts'

async function take(locks: Locks, key = 'job'): Promise<Lease> {
  const attempt = await locks.tryAcquire(key)
  if (!attempt.acquired) throw new Error(`"${key}" is held`)
  return attempt.lease
}

describe.each(routes)('acquire on %s', (route) => {
  test('gives a key to one holder, and tells the others who that is', async () => {
    await using world = await lockWorld(route, { holder: { host: 'here', pid: 42 } })
    const attempts = await Promise.all(Array.from({ length: 10 }, () => world.another().tryAcquire('job')))
    const refused = attempts.filter((attempt) => !attempt.acquired)
    expect(refused).toHaveLength(9)
    for (const attempt of refused) {
      expect(attempt).toMatchObject({ holder: { host: 'here', pid: 42 } })
      expect(attempt.expiresInMs).toBeGreaterThan(0)
    }
  })

  test('of the same process a second time is refused as anyone is', async () => {
    await using world = await lockWorld(route)
    await take(world.locks)
    expect(await world.locks.tryAcquire('job')).toMatchObject({
      acquired: false,
      holder: { pid: process.pid },
    })
  })

  test('after a release gives a greater token', async () => {
    await using world = await lockWorld(route)
    let last = 0n
    for (let i = 0; i < 5; i++) {
      const lease = await take(world.locks)
      expect(lease.token).toBeGreaterThan(last)
      last = lease.token
      expect(await lease.release()).toBe(true)
      expect(await lease.release()).toBe(true)
      expect(lease.held).toBe(false)
    }
  })

  test('takes an expired lease over', async () => {
    await using world = await lockWorld(route)
    const dead = await take(world.locks)
    await world.expire('job')
    const heir = await take(world.another())
    expect(heir.token).toBeGreaterThan(dead.token)
    await expect(dead.refresh()).rejects.toMatchObject({ code: 'LEASE_LOST', reason: 'taken' })
    expect(dead.signal.reason).toMatchObject({ reason: 'taken', key: 'job', token: dead.token })
    expect(await dead.release()).toBe(false)
    expect(heir.held).toBe(true)
  })

  test('waits until the key is given up', async () => {
    await using world = await lockWorld(route)
    const first = await take(world.locks)
    const waiting = world.another().acquire('job', { waitMs: 30_000 })
    await first.release()
    expect((await waiting).token).toBeGreaterThan(first.token)
  })

  test('gives up waiting with the name of the holder, or when told to', async () => {
    await using world = await lockWorld(route)
    await take(world.locks)
    await expect(world.another().acquire('job', { waitMs: 10 })).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    const stop = new AbortController()
    const waiting = world.another().acquire('job', { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  test('refuses a key that no row can hold before anything is sent', async () => {
    await using world = await lockWorld(route)
    for (const key of ['', 'a\0b', 'x'.repeat(1025), '\ud800']) {
      await expect(world.locks.tryAcquire(key)).rejects.toMatchObject({ code: 'LOCK_BAD_KEY' })
    }
  })

  test('without the table says to migrate', async () => {
    await using world = await lockWorld(route)
    const locks = world.another({ table: 'nowhere' })
    await expect(locks.tryAcquire('job')).rejects.toMatchObject({ code: 'LOCK_NOT_MIGRATED' })
  })

  test('withLock gives the key free after work that failed, and throws the failure of the work', async () => {
    await using world = await lockWorld(route)
    const failing = world.locks.withLock('job', {}, async () => {
      throw new Error('work failed')
    })
    await expect(failing).rejects.toThrow('work failed')
    expect(
      await world.locks.withLock('job', { info: { step: 1 } }, async () => (await world.locks.inspect('job'))?.info),
    ).toEqual({ step: 1 })
    expect(await world.locks.inspect('job')).toMatchObject({ holder: null, endReason: 'released' })
  })
})
