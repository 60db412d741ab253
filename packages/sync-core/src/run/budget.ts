import { performance } from 'node:perf_hooks'
import type { RunOptions } from './options.ts'
import { Stopped } from './outcome-from-error.ts'

/** How long a run may go without recorded activity, by default. */
const STALL_TIMEOUT_MS = 5 * 60_000

const MAX_TIMER_MS = 2 ** 31 - 1

export interface Budget extends Disposable {
  /** Aborts when the time is over, when nothing has happened for too long, or when the caller says so. */
  readonly signal: AbortSignal
  /** Looks at the clock itself: a timer is late when the event loop was busy. @throws the signal's reason. */
  throwIfExpired(): void
  /** Resets the stall watchdog. */
  recordActivity(): void
}

/** Makes the one signal that a run goes by. */
export function startBudget({ budgetMs, stallMs = STALL_TIMEOUT_MS, signal: caller }: RunOptions): Budget {
  const controller = new AbortController()
  const expire = () => controller.abort(new Stopped('timeout', 'the budget is spent'))
  const deadline = budgetMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + budgetMs
  const timer = budgetMs === undefined || budgetMs > MAX_TIMER_MS ? undefined : setTimeout(expire, budgetMs)
  const stall = () => controller.abort(new Stopped('stalled', `nothing has happened for ${stallMs} ms`))
  const watchdog = setTimeout(stall, stallMs)
  const signal = caller ? AbortSignal.any([controller.signal, caller]) : controller.signal
  return {
    signal,
    throwIfExpired() {
      if (performance.now() >= deadline) expire()
      signal.throwIfAborted()
    },
    recordActivity: () => void watchdog.refresh(),
    [Symbol.dispose]() {
      clearTimeout(timer)
      clearTimeout(watchdog)
    },
  }
}

/** How long a statement should take: the most that a run can overstay its budget by, and a heartbeat its time. */
const STATEMENT_TARGET_MS = 100

/** The size of the next batch: towards what takes the target time, never more than double. */
export function nextBatchSize(current: number, max: number, processed: number, elapsedMs: number): number {
  // How long few items took says little.
  if (processed < current / 2) return current
  const fitting = Math.round((processed * STATEMENT_TARGET_MS) / Math.max(elapsedMs, 1))
  return Math.max(1, Math.min(max, fitting, current * 2))
}
