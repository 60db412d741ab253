/** Machines that take a job each, in the order in which the jobs came. */
export interface RunnerPool {
  /** Starts at once, or when one is given back. */
  take(hour: number, start: (hour: number) => void): void
  give(hour: number): void
}

export function runnerPool(runners: number): RunnerPool {
  let free = runners
  const waiting: ((hour: number) => void)[] = []
  return {
    take(hour, start) {
      if (free === 0) {
        waiting.push(start)
        return
      }
      free--
      start(hour)
    },
    give(hour) {
      const next = waiting.shift()
      if (next) next(hour)
      else free++
    },
  }
}
