import { describe, expect, test } from 'vitest'
import { startBudget } from '../../src/run/budget.ts'

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
