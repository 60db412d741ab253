import { setImmediate } from 'node:timers/promises'

/** How long work may keep other work, such as a heartbeat, from running. */
const HOLD_MS = 10

/**
 * Makes the function that a long loop awaits in each round: every 10 ms it lets the event loop turn once, else it
 * returns nothing to be waited for.
 */
export function breathing(): () => Promise<void> | undefined {
  let last = performance.now()
  return () => {
    if (performance.now() - last < HOLD_MS) return undefined
    return setImmediate().then(() => {
      last = performance.now()
    })
  }
}
