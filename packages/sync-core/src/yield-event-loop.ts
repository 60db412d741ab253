import { setImmediate } from 'node:timers/promises'

/** How long work may keep other work, such as a heartbeat, from running. */
const MAX_HOLD_MS = 10

/** Makes the function that a long loop awaits in each round: it yields to the event loop every 10 ms. */
export function createYielder(): () => Promise<void> | undefined {
  let last = performance.now()
  return () => {
    if (performance.now() - last < MAX_HOLD_MS) return undefined
    return setImmediate().then(() => {
      last = performance.now()
    })
  }
}

/** Visits a long list, and yields to the event loop now and then. */
export async function forEachYielding<T>(list: Iterable<T>, visit: (record: T, index: number) => void): Promise<void> {
  const yieldEventLoop = createYielder()
  let index = 0
  for (const record of list) {
    visit(record, index++)
    await yieldEventLoop()
  }
}
