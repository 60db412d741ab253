import { afterEach, beforeEach, vi } from 'vitest'

/**
 * Every test of the file has a clock of its own that stands until `pass()`. The file has to begin with
 * `vi.mock('node:timers/promises', () => import('@tidemark/test-engines/faked-timers'))`.
 */
export function useFakedClock(): void {
  beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })
}

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** The clock goes on without a timer that fires, as when the event loop is blocked. */
export function block(ms: number): void {
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ms)
}

/** An answer that does not come. */
export const NEVER = new Promise<never>(() => {})

export async function answerAfter<T>(ms: number, answer: T): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return answer
}

/** To be awaited later: a rejection until then is none that nobody handles. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
