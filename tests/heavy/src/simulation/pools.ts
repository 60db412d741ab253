import TinyQueue from 'tinyqueue'

/** Machines that take a job each, in the order in which the jobs came. */
export function createRunnerPool(runners: number) {
  let free = runners
  const waiting: ((hour: number) => void)[] = []
  return {
    /** Starts the job at once, or when a runner is released. */
    acquire(hour: number, start: (hour: number) => void) {
      if (free === 0) waiting.push(start)
      else {
        free--
        start(hour)
      }
    },
    release(hour: number) {
      const next = waiting.shift()
      if (next) next(hour)
      else free++
    },
  }
}

/** The connections of a database. */
export function createConnectionPool(size: number) {
  let inUse = 0
  const held = new TinyQueue<{ untilHour: number; count: number }>([], (a, b) => a.untilHour - b.untilHour)
  return {
    /** @returns false where there are not so many at that hour. Hours never go back. */
    acquire(fromHour: number, untilHour: number, count: number): boolean {
      while (held.length > 0 && held.peek()!.untilHour <= fromHour) inUse -= held.pop()!.count
      if (inUse + count > size) return false
      inUse += count
      held.push({ untilHour, count })
      return true
    },
  }
}
