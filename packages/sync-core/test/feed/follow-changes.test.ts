import { allEngines, engines } from '@tidemark/test-engines'
import { describe, expect, test, vi } from 'vitest'
import { type ChangeList, type Database, followChanges } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

// A follower that looks by the clock would find all that it is not woken for, so the clock stands still for it.
const clock = vi.hoisted(() => ({ stands: false }))
vi.mock('node:timers/promises', async (original) => {
  const real = await original<typeof import('node:timers/promises')>()
  const setTimeout: typeof real.setTimeout = (ms, value, options) =>
    real.setTimeout(clock.stands ? 2 ** 31 - 1 : Math.min(ms!, 20), value, options)
  return { ...real, setTimeout }
})

/** The database, with what a follower asks of it. */
function watched(db: Database, changes: Partial<Database> = {}) {
  const reads = { count: 0 }
  const query: Database['query'] = (text, params, signal) => {
    if (text.includes('newestSeq')) reads.count++
    return db.query(text, params, signal)
  }
  return { db: { ...db, query, ...changes }, reads }
}

async function commitAndSync(world: TestWorld, files: Record<string, string>) {
  await world.repository.commit(files)
  await world.sync({ search: false })
}

const paths = ({ value }: IteratorResult<ChangeList, unknown>) => (value as ChangeList).changes.map(({ path }) => path)

describe.each(allEngines)('a follower of %s', (engine) => {
  test('is woken by each batch, and asks once while nothing is new', async () => {
    await using world = await testWorld({ engine })
    await commitAndSync(world, { 'a.md': 'a' })
    const stop = new AbortController()
    const heard = Promise.withResolvers<void>()
    const { db, reads } = watched(world.db, {
      listen(channel, { onNotification, onLost }, signal) {
        const hear = (payload: string) => {
          onNotification(payload)
          heard.resolve()
        }
        return world.db.listen(channel, { onNotification: hear, onLost }, signal)
      },
    })
    const lists = followChanges(db, 'docs', { signal: stop.signal })
    expect(paths(await lists.next())).toEqual(['a.md'])
    const next = lists.next()
    await heard.promise
    clock.stands = true
    try {
      // Whatever it waits for by the clock.
      await world.db.query(`SELECT pg_notify('tidemark_changes', '{"source":"docs"}')`)
      const before = reads.count
      await commitAndSync(world, { 'a.md': 'a', 'b.md': 'b' })
      expect(paths(await next)).toEqual(['b.md'])
      const idle = lists.next()
      await commitAndSync(world, { 'a.md': 'a', 'b.md': 'b', 'c.md': 'c' })
      expect(paths(await idle)).toEqual(['c.md'])
      expect(reads.count - before).toBeLessThan(12)
      const last = expect(lists.next()).rejects.toThrow('enough')
      stop.abort(new Error('enough'))
      await last
    } finally {
      clock.stands = false
    }
  })

  test('looks again and again where it cannot listen, or hears nothing', async () => {
    await using world = await testWorld({ engine })
    await commitAndSync(world, { 'a.md': 'a' })
    const refused = async () => Promise.reject(new Error('cannot execute LISTEN during recovery'))
    for (const listen of [refused, async () => {}]) {
      const stop = new AbortController()
      const { db } = watched(world.db, { listen })
      const lists = followChanges(db, 'docs', { signal: stop.signal })
      await lists.next()
      const next = lists.next()
      await commitAndSync(world, { 'a.md': String(Math.random()) })
      expect(paths(await next)).toEqual(['a.md'])
      stop.abort(new Error('enough'))
      await expect(lists.next()).rejects.toThrow('enough')
    }
  })
})

describe.each(engines)('a follower of %s', (engine) => {
  test('that is let listen and hears nothing, as through a pooler, has one connection for it however often it tries', async () => {
    await using world = await testWorld({ engine })
    await commitAndSync(world, { 'a.md': 'a' })
    const now = performance.now.bind(performance)
    let aheadMs = 0
    using _ = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
    const stop = new AbortController()
    let tries = 0
    let open = 0
    const mostOpen: number[] = []
    const { db } = watched(world.db, {
      async listen(_channel, { onLost }, signal) {
        tries++
        mostOpen.push(++open)
        signal.addEventListener('abort', () => {
          open--
          // As the end of a connection, later.
          setTimeout(onLost, 5)
        })
      },
    })
    const lists = followChanges(db, 'docs', { signal: stop.signal })
    await lists.next()
    const next = lists.next()
    for (const n of [2, 3, 4]) {
      aheadMs += 60_000
      await expect.poll(() => tries).toBe(n)
    }
    await commitAndSync(world, { 'a.md': 'a', 'b.md': 'b' })
    expect(paths(await next)).toEqual(['b.md'])
    expect(mostOpen).toEqual([1, 1, 1, 1])
    stop.abort(new Error('enough'))
    await expect(lists.next()).rejects.toThrow('enough')
    expect(open).toBe(0)
  })

  test('begins where its cursor is, and ends by its signal whatever it waits for', async () => {
    await using world = await testWorld({ engine })
    await commitAndSync(world, { 'a.md': 'a' })
    const stop = new AbortController()
    const begun = followChanges(world.db, 'docs')
    const first = await begun.next()
    // Else it would listen on.
    await begun.return(undefined as never)
    const { cursor: after } = first.value
    const next = followChanges(world.db, 'docs', { after, signal: stop.signal }).next()
    stop.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
  })
})

test('a follower of a server that cuts its connections goes on', async () => {
  await using world = await testWorld({ engine: 'postgres' })
  await commitAndSync(world, { 'a.md': 'a' })
  const stop = new AbortController()
  const lists = followChanges(world.db, 'docs', { signal: stop.signal })
  await lists.next()
  const next = lists.next()
  const listening = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`
  await expect.poll(async () => (await world.db.query(listening)).rows.length).toBe(1)
  await world.db.query(`SELECT pg_terminate_backend(pid) FROM (${listening}) AS cut`)
  await commitAndSync(world, { 'a.md': 'a', 'b.md': 'b' })
  expect(paths(await next)).toEqual(['b.md'])
  stop.abort(new Error('enough'))
  await expect(lists.next()).rejects.toThrow('enough')
  await expect.poll(async () => (await world.db.query(listening)).rows.length).toBe(0)
})
