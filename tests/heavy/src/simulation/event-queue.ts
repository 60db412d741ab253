import TinyQueue from 'tinyqueue'

/** What happens at which hour, in order; of the same hour, what was put in first. */
export interface EventQueue {
  at(hour: number, happen: (hour: number) => void): void
  /** Lets everything happen, and what comes of it. */
  run(): void
}

export function eventQueue(): EventQueue {
  let order = 0
  const events = new TinyQueue<{ hour: number; order: number; happen: (hour: number) => void }>(
    [],
    (a, b) => a.hour - b.hour || a.order - b.order,
  )
  return {
    at: (hour, happen) => events.push({ hour, order: order++, happen }),
    run() {
      for (let next = events.pop(); next; next = events.pop()) next.happen(next.hour)
    },
  }
}
