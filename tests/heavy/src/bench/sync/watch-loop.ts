/**
 * Watches how long the main thread computes between two turns of its loop. By its own time and not by the clock's: on a
 * busy machine a clock tells mostly of the others.
 */
export function watchLoop(): { longestHoldMs(): number } {
  let longestMs = 0
  let used = process.threadCpuUsage()
  const look = () => {
    const { user, system } = process.threadCpuUsage(used)
    used = process.threadCpuUsage()
    longestMs = Math.max(longestMs, (user + system) / 1000)
  }
  setInterval(look, 1).unref()
  return { longestHoldMs: () => longestMs }
}
