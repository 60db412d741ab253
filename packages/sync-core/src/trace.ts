import type { Channel } from 'node:diagnostics_channel'

/** Publishes how long some work took and what came of it, where anyone listens; `result` is undefined where it failed. */
export async function traced<T>(
  channel: Channel,
  work: Promise<T>,
  describe: (elapsedMs: number, result: T | undefined) => object,
): Promise<T> {
  if (!channel.hasSubscribers) return work
  const started = performance.now()
  let result: T | undefined
  try {
    result = await work
    return result
  } finally {
    channel.publish(describe(performance.now() - started, result))
  }
}
