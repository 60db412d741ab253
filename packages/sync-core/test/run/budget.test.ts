import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nextBatchSize, startBudget } from '../../src/run/budget.ts'

/** Keeps this thread busy, so that no timer can fire. */
const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describe('a budget', () => {
  test('that is spent while the event loop is blocked is noticed before any timer', () => {
    using budget = startBudget({ budgetMs: 20 })
    budget.throwIfExpired()

    block(40)

    expect(() => budget.throwIfExpired()).toThrow(expect.objectContaining({ reason: 'timeout' }))
  })

  test('aborts by itself where nobody looks, and as stalled where nothing is recorded', async () => {
    for (const [options, reason] of [
      [{ budgetMs: 20 }, 'timeout'],
      [{ stallMs: 20 }, 'stalled'],
    ] as const) {
      using budget = startBudget(options)
      await new Promise((resolve) => budget.signal.addEventListener('abort', resolve))
      expect(budget.signal.reason).toMatchObject({ reason })
    }
  })
})

describe('by a clock that stands still a budget', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is spent when its time is over, and not before', () => {
    using budget = startBudget({ budgetMs: 50 })
    vi.advanceTimersByTime(49)
    expect(budget.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(budget.signal.reason).toMatchObject({ reason: 'timeout', message: 'the budget is spent' })
    expect(() => budget.throwIfExpired()).toThrow(budget.signal.reason)
  })

  test('is stalled after five minutes without activity, or as long as was said', () => {
    for (const [stallMs, expectedMs] of [
      [undefined, 5 * 60_000],
      [70, 70],
    ] as const) {
      using budget = startBudget({ stallMs })
      vi.advanceTimersByTime(expectedMs - 1)
      budget.recordActivity()
      vi.advanceTimersByTime(expectedMs - 1)
      expect(budget.signal.aborted).toBe(false)
      vi.advanceTimersByTime(1)
      expect(budget.signal.reason).toMatchObject({
        reason: 'stalled',
        message: `nothing has happened for ${expectedMs} ms`,
      })
    }
  })

  test('that is longer than a timer can wait is none that is spent at once', () => {
    for (const budgetMs of [undefined, 2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      using budget = startBudget({ budgetMs })
      vi.advanceTimersByTime(60_000)
      budget.throwIfExpired()
      expect(budget.signal.aborted).toBe(false)
    }
  })

  test('ends by the signal of the caller too', () => {
    const stop = new AbortController()
    using budget = startBudget({ signal: stop.signal })
    budget.throwIfExpired()
    stop.abort(new Error('enough'))
    expect(budget.signal.reason).toMatchObject({ message: 'enough' })
    expect(() => budget.throwIfExpired()).toThrow('enough')
  })

  test('leaves no timer at the end of its run', () => {
    {
      using _ = startBudget({ budgetMs: 50 })
      expect(vi.getTimerCount()).toBe(2)
    }
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the next batch', () => {
  test.each([
    ['is as large as took its time', 100, 1_000, 100, 100, 100],
    ['is half of one that took twice its time', 100, 1_000, 100, 200, 50],
    ['is at most double of one that took no time', 100, 1_000, 100, 1, 200],
    ['is double of one that took less than can be measured', 100, 1_000, 100, 0, 200],
    ['is no larger than it may be', 100, 150, 100, 1, 150],
    ['has at least one item', 1, 1_000, 1, 60_000, 1],
    ['is rounded', 10, 1_000, 10, 66, 15],
    ['keeps its size after one that was mostly empty', 100, 1_000, 49, 1, 100],
    ['goes by one that was half full', 100, 1_000, 50, 100, 50],
  ])('%s', (_, current, max, processed, elapsedMs, expected) => {
    expect(nextBatchSize(current, max, processed, elapsedMs)).toBe(expected)
  })
})
