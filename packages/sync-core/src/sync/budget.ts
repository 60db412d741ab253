import { performance } from 'node:perf_hooks'

/** The reason of a signal whose budget is spent. */
export class BudgetSpent extends Error {
  override readonly name = 'BudgetSpent'
}

export interface Budget extends Disposable {
  readonly signal: AbortSignal
  /** Looks at the clock itself: a timer is late when the event loop was busy. */
  check(): void
}

/** A signal that aborts when the time is over or the caller says so. */
export function startBudget(budgetMs: number | undefined, caller: AbortSignal | undefined): Budget {
  const controller = new AbortController()
  const spend = () => controller.abort(new BudgetSpent('the budget is spent'))
  const deadline = budgetMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + budgetMs
  // Longer than a timer can wait means no limit that could be met.
  const timer = budgetMs === undefined || budgetMs > 2 ** 31 - 1 ? undefined : setTimeout(spend, budgetMs)
  return {
    signal: caller ? AbortSignal.any([controller.signal, caller]) : controller.signal,
    check() {
      if (performance.now() >= deadline) spend()
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
    },
  }
}
