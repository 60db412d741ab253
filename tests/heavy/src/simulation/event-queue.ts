import TinyQueue from 'tinyqueue'

type Callback = (hour: number) => void

/** What happens at which hour, in order; of the same hour, what was put in first. */
export function createEventQueue() {
  let order = 0
  const events = new TinyQueue<{ hour: number; order: number; callback: Callback }>(
    [],
    (a, b) => a.hour - b.hour || a.order - b.order,
  )
  return {
    at: (hour: number, callback: Callback) => events.push({ hour, order: order++, callback }),
    /** Runs every event, and those that events put in. */
    run() {
      for (let next = events.pop(); next; next = events.pop()) next.callback(next.hour)
    },
  }
}
