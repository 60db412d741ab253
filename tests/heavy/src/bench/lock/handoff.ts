import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contender.ts'

/** How long a key is held that another waits for: a waiter has found its pace by then. */
export const HELD_MS = 2_000
/** For up to so much longer, so that a release keeps time with nobody's pace. */
const MAX_EXTRA_MS = 300

/**
 * Hands a key over to one that waits for it. Notes the time from the release to the moment at which the other has it,
 * and how many queries the waiter sent until then, where that is counted.
 */
export async function handoff(
  { take, wait, queries }: Contender,
  key: string,
  notes: { readonly handoffMs: number[]; readonly waiterQueriesPerSecond: number[] },
): Promise<void> {
  if (!wait) return
  const release = await take(key)
  const [sentBefore, startedAt] = [queries?.(key), performance.now()]
  const waiting = wait(key).then((release) => ({ release, at: performance.now() }))
  await sleep(HELD_MS + Math.random() * MAX_EXTRA_MS)
  const [sent, releasedAt] = [queries?.(key), performance.now()]
  await release!()
  const next = await waiting
  await next.release()
  notes.handoffMs.push(next.at - releasedAt)
  if (sent !== undefined) {
    notes.waiterQueriesPerSecond.push(((sent - sentBefore!) * 1_000) / (releasedAt - startedAt))
  }
}
