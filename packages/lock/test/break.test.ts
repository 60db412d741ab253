import { describe, expect, test } from 'vitest'
import { lockWorld, routes } from './world/lock-world.ts'
import { serverWorld, waitingFor } from './world/server-world.ts'

describe.each(routes)('break on %s', (route) => {
  test('ends a lease that was not refreshed for long enough, and only then', async () => {
    await using world = await lockWorld(route)
    const lease = await world.locks.acquire('job')
    expect(await world.another().break('job', { maxAgeMs: 60_000 })).toMatchObject({
      verdict: 'refused',
      token: lease.token,
    })
    await world.db.query(`UPDATE ${world.table} SET last_refreshed_at = clock_timestamp() - interval '2 minutes'`)
    expect(await world.another().break('job', { maxAgeMs: 60_000 })).toMatchObject({
      verdict: 'broken',
      key: 'job',
      token: lease.token,
      holder: { pid: process.pid },
    })
    await expect(lease.refresh()).rejects.toMatchObject({ reason: 'broken' })
  })

  test('refuses a holder that refreshed after it was looked at, and one that came after it', async () => {
    await using world = await lockWorld(route)
    const seen = await world.locks.acquire('job')
    await seen.release()
    const next = await world.locks.acquire('job')
    expect(await world.another().break('job', { token: seen.token, force: true })).toMatchObject({
      verdict: 'refused',
    })
    await next.refresh()
    expect(next.held).toBe(true)
  })

  test('changes the token, so that whoever has seen the old one knows that it is over', async () => {
    await using world = await lockWorld(route)
    const { token } = await world.locks.acquire('job')
    await world.another().break('job', { force: true })
    expect((await world.locks.inspect('job'))!.token).toBeGreaterThan(token)
  })

  test('by two at once breaks once', async () => {
    await using world = await lockWorld(route)
    await world.locks.acquire('job')
    const verdicts = await Promise.all([1, 2, 3].map(() => world.another().break('job', { force: true })))
    expect(verdicts.map(({ verdict }) => verdict).filter((verdict) => verdict === 'broken')).toHaveLength(1)
  })

  test('against a heartbeat at the same moment leaves one of two states, never a mixture', async () => {
    await using world = await lockWorld(route)
    for (let round = 0; round < 20; round++) {
      const lease = await world.locks.acquire(`job ${round}`)
      await world.db.query(
        `UPDATE ${world.table} SET last_refreshed_at = clock_timestamp() - interval '2 minutes' WHERE key = $1`,
        [lease.key],
      )
      const [refreshed, { verdict }] = await Promise.all([
        lease.refresh().then(
          () => true,
          () => false,
        ),
        world.another().break(lease.key, { maxAgeMs: 60_000 }),
      ])
      expect(verdict).toBe(refreshed ? 'refused' : 'broken')
      expect(lease.held).toBe(refreshed)
    }
  })

  test('refuses a lock of which no sign of life is known, unless forced', async () => {
    await using world = await lockWorld(route)
    await world.locks.acquire('job')
    await world.db.query(`UPDATE ${world.table} SET last_refreshed_at = NULL`)
    expect(await world.another().break('job', { maxAgeMs: 0 })).toMatchObject({
      verdict: 'refused',
      sinceRefreshMs: null,
    })
    expect(await world.another().break('job', { force: true })).toMatchObject({ verdict: 'broken' })
  })

  test('by age never ends a holder that has shown life within its own rhythm, whatever the breaker’s is', async () => {
    await using world = await lockWorld(route, { ttlMs: 20_000, heartbeatMs: 5_000, marginMs: 200 })
    const breaker = world.another({ ttlMs: 2_000, heartbeatMs: 400, marginMs: 200 })
    const lease = await world.locks.acquire('job')
    const silentFor = (seconds: number) =>
      world.db.query(
        `UPDATE ${world.table} SET last_refreshed_at = clock_timestamp() - interval '${seconds} seconds',
           expires_at = clock_timestamp() + interval '${20 - seconds} seconds'`,
      )
    const verdicts = async (...options: { maxAgeMs?: number }[]) =>
      Promise.all(options.map(async (each) => (await breaker.break('job', each)).verdict))
    await silentFor(3)
    expect(await verdicts({}, { maxAgeMs: 0 }, { maxAgeMs: 2_000 })).toEqual(['refused', 'refused', 'refused'])
    // Two of its heartbeats may fail.
    await silentFor(14)
    expect(await verdicts({}, { maxAgeMs: 0 }, { maxAgeMs: 10_000 })).toEqual(['refused', 'refused', 'refused'])
    await lease.refresh()
    await silentFor(16)
    expect(await verdicts({}, { maxAgeMs: 17_000 })).toEqual(['refused', 'refused'])
    expect(await verdicts({ maxAgeMs: 10_000 })).toEqual(['broken'])
  })

  test('without an age ends what has expired and nothing else', async () => {
    await using world = await lockWorld(route)
    await world.locks.acquire('dead')
    await world.expire('dead')
    await world.locks.acquire('live')
    expect(await world.another({ ttlMs: 300, heartbeatMs: 50, marginMs: 50 }).breakAll({})).toMatchObject([
      { key: 'dead', verdict: 'broken' },
      { key: 'live', verdict: 'refused' },
    ])
  })

  test('ends the leases of a prefix, a host or a process, each by its own gate', async () => {
    await using world = await lockWorld(route)
    const by = (host: string, pid: number) => world.another({ holder: { host, pid } })
    await by('one', 1).acquire('a:1')
    await by('one', 2).acquire('a:2')
    await by('two', 1).acquire('b:1')
    const keys = async (...selection: Parameters<typeof world.locks.breakAll>) =>
      (await world.locks.breakAll(...selection)).map(({ key, verdict }) => `${key} ${verdict}`)
    expect(await keys({ prefix: 'a:' })).toEqual(['a:1 refused', 'a:2 refused'])
    expect(await keys({ host: 'one', pid: 2 }, { force: true })).toEqual(['a:2 broken'])
    expect(await keys({ host: 'one' }, { force: true })).toEqual(['a:1 broken'])
    expect(await keys({ prefix: 'b:' }, { force: true })).toEqual(['b:1 broken'])
    expect(await keys({}, { force: true })).toEqual([])
  })

  test('of a free or unknown key is absent', async () => {
    await using world = await lockWorld(route)
    expect(await world.locks.break('job')).toEqual({ verdict: 'absent', key: 'job' })
    await (await world.locks.acquire('job')).release()
    expect(await world.locks.break('job', { force: true })).toEqual({ verdict: 'absent', key: 'job' })
  })

  test('refuses a senseless age before anything is sent', async () => {
    await using world = await lockWorld(route)
    await expect(world.locks.break('job', { maxAgeMs: -1 })).rejects.toMatchObject({
      code: 'LOCK_BAD_OPTIONS',
    })
  })
})

describe('break by force', () => {
  test('that waited for a take-over leaves the newcomer alone, whose lease is not the one that was looked at', async () => {
    await using world = await serverWorld()
    const locks = world.locks(world.admin)
    const stale = await locks.acquire('job')
    await world.admin.query(`UPDATE heartbeat_locks SET expires_at = now() - interval '1 minute'`)
    const taker = await world.admin.connect()
    await taker.query('BEGIN')
    expect(await world.locks(taker).tryAcquire('job')).toMatchObject({ acquired: true })
    const breaking = locks.break('job', { force: true })
    await expect.poll(() => waitingFor(world.admin)).toBe(1)
    await taker.query('COMMIT')
    taker.release()
    expect(await breaking).toMatchObject({ verdict: 'refused', token: stale.token })
    expect(await locks.inspect('job')).toMatchObject({ holder: { pid: process.pid }, endReason: 'expired' })
  })
})

describe.each(routes)('inspect and list on %s', (route) => {
  test('tell who holds what, since when and until when', async () => {
    await using world = await lockWorld(route, { holder: { host: 'here', pid: 7 } })
    expect(await world.locks.inspect('a:1')).toBeNull()
    const lease = await world.locks.acquire('a:1', { info: { why: 'test' } })
    await world.locks.acquire('a:2')
    await world.locks.acquire('b:1')
    expect(await world.locks.inspect('a:1')).toMatchObject({
      key: 'a:1',
      token: lease.token,
      holder: { host: 'here', pid: 7 },
      info: { why: 'test' },
      endReason: null,
    })
    expect((await world.locks.list({ prefix: 'a:' })).map(({ key }) => key)).toEqual(['a:1', 'a:2'])
    await lease.release()
    expect((await world.locks.list()).map(({ key }) => key)).toEqual(['a:2', 'b:1'])
  })
})
