import { performance } from 'node:perf_hooks'

/** The reason of a signal whose budget is spent. */
export class BudgetSpent extends Error {
  override readonly name = 'BudgetSpent'
}

/** The reason of a signal when nothing has moved for too long. */
export class Stalled extends Error {
  override readonly name = 'Stalled'
}

export interface Budget extends Disposable {
  readonly signal: AbortSignal
  /** Looks at the clock itself: a timer is late when the event loop was busy. */
  check(): void
  /** Tells the stall watchdog that something has moved. */
  moved(): void
}

export interface BudgetOptions {
  readonly budgetMs: number | undefined
  readonly stallMs: number
  readonly caller: AbortSignal | undefined
}

/** A signal that aborts when the time is over, when nothing has moved for `stallMs`, or when the caller says so. */
export function startBudget({ budgetMs, stallMs, caller }: BudgetOptions): Budget {
  const controller = new AbortController()
  const spend = () => controller.abort(new BudgetSpent('the budget is spent'))
  const deadline = budgetMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + budgetMs
  // Longer than a timer can wait means no limit that could be met.
  const timer = budgetMs === undefined || budgetMs > 2 ** 31 - 1 ? undefined : setTimeout(spend, budgetMs)
  const watchdog = setTimeout(() => controller.abort(new Stalled(`nothing has moved for ${stallMs} ms`)), stallMs)
  return {
    signal: caller ? AbortSignal.any([controller.signal, caller]) : controller.signal,
    check() {
      if (performance.now() >= deadline) spend()
    },
    moved: () => void watchdog.refresh(),
    [Symbol.dispose]() {
      clearTimeout(timer)
      clearTimeout(watchdog)
    },
  }
}
