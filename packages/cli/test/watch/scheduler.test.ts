import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createScheduler } from '../../src/watch/scheduler.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A scheduler whose looks end when the test says so. */
function scheduled(concurrency = 2) {
  const looks: { id: string; end(afterMs: number): Promise<void> }[] = []
  const begun: string[] = []
  const scheduler = createScheduler((id) => {
    begun.push(id)
    const { promise, resolve } = Promise.withResolvers<number>()
    const end = async (afterMs: number) => {
      looks.splice(looks.indexOf(look), 1)
      resolve(afterMs)
      await settle()
    }
    const look = { id, end }
    looks.push(look)
    return promise
  }, concurrency)
  return { scheduler, looks, begun }
}

async function settle() {
  for (let i = 0; i < 5; i++) await setImmediate()
}

describe('a scheduler', () => {
  test('looks at each source at once, so many side by side, and again when its time has come', async () => {
    const { scheduler, looks, begun } = scheduled()
    scheduler.setSources(['a', 'b', 'c'])
    await settle()
    expect(begun).toEqual(['a', 'b'])
    await looks[0]!.end(10_000)
    expect(begun).toEqual(['a', 'b', 'c'])
    await looks[0]!.end(60_000)
    await looks[0]!.end(60_000)
    await vi.advanceTimersByTimeAsync(9_999)
    expect(begun).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(1)
    await settle()
    expect(begun.slice(3)).toEqual(['a'])
  })

  test('makes of a hundred wishes one look, and one more where they come while it runs', async () => {
    const { scheduler, looks, begun } = scheduled(1)
    scheduler.setSources(['a'])
    await settle()
    for (let i = 0; i < 100; i++) scheduler.wake('a')
    expect(begun).toEqual(['a'])
    await looks[0]!.end(60_000)
    expect(begun).toEqual(['a', 'a'])
    await looks[0]!.end(60_000)
    for (let i = 0; i < 100; i++) scheduler.wake('a')
    await settle()
    expect(begun).toEqual(['a', 'a', 'a'])
  })

  test('forgets a source that is removed, also one that runs, and never runs it twice at a time when it is back', async () => {
    const { scheduler, looks, begun } = scheduled()
    scheduler.setSources(['a', 'b'])
    await settle()
    scheduler.setSources(['b'])
    scheduler.setSources(['a', 'b'])
    scheduler.wake('a')
    await settle()
    expect(begun).toEqual(['a', 'b'])
    await looks[0]!.end(60_000)
    expect(begun).toEqual(['a', 'b', 'a'])
    scheduler.setSources(['b'])
    await looks.find(({ id }) => id === 'a')!.end(10)
    scheduler.wake('a')
    scheduler.wake('unknown')
    await vi.advanceTimersByTimeAsync(100)
    expect(begun).toEqual(['a', 'b', 'a'])
  })

  test('that is stopped begins nothing more and waits for what runs', async () => {
    const { scheduler, looks, begun } = scheduled(1)
    scheduler.setSources(['a', 'b'])
    await settle()
    let stopped = false
    const stopping = scheduler.stop().then(() => {
      stopped = true
    })
    scheduler.wake('a')
    await settle()
    expect(stopped).toBe(false)
    await looks[0]!.end(0)
    await stopping
    await vi.advanceTimersByTimeAsync(100_000)
    expect(begun).toEqual(['a'])
  })
})
