import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { retryLost } from '../run/retry-lost.ts'
import { CHANGES_CHANNEL } from '../store/batch-sql.ts'
import { type ChangeList, type ReadChangesOptions, readChanges } from '../store/read-changes.ts'

/** How often to look where nothing is heard: through a pooler, on a standby. */
const LOOK_MS = 1_000
/** How often to look where each change is heard, and to try to listen where it is not. */
const SELDOM_LOOK_MS = 30_000

/**
 * The changes of a source as they come, list after list, until the signal aborts. Woken by `NOTIFY`; asks each second
 * where it cannot listen. A server that is restarted is waited for.
 *
 * ```ts
 * for await (const { changes, cursor } of followChanges(db, 'docs', { after, signal })) {
 *   await index.apply(changes)
 *   await saveCursor(cursor)
 * }
 * ```
 * @param options.signal ends it: the loop throws the signal's reason.
 * @throws {SyncError} as {@link readChanges}.
 */
export async function* followChanges(
  db: Database,
  source: string,
  { after = '0', signal = new AbortController().signal, ...options }: ReadChangesOptions = {},
): AsyncGenerator<ChangeList, never> {
  const ended = new AbortController()
  const wakeups = listenForChanges(db, source, AbortSignal.any([signal, ended.signal]))
  try {
    for (;;) {
      // Before the look: what commits after it wakes.
      const woken = wakeups.next()
      const list = await retryLost(signal, () => readChanges(db, source, { ...options, after, signal }))
      after = list.cursor
      if (list.changes.length > 0) yield list
      else await woken()
      signal.throwIfAborted()
    }
  } finally {
    ended.abort()
  }
}

/** Wakes whoever waits for changes of a source. */
function listenForChanges(db: Database, source: string, signal: AbortSignal) {
  let heard = false
  let triedAt = Number.NEGATIVE_INFINITY
  let attempt = new AbortController()
  let woken = new AbortController()
  const wake = () => {
    woken.abort()
    woken = new AbortController()
  }
  signal.addEventListener('abort', wake, { once: true })
  const listen = async () => {
    triedAt = performance.now()
    // The attempt before hears nothing, and may still have its connection.
    attempt.abort()
    const own = new AbortController()
    attempt = own
    const listening = {
      onNotification(payload: string) {
        heard = true
        if (payload.includes(JSON.stringify(source))) wake()
      },
      onLost() {
        if (attempt !== own) return
        if (heard) triedAt = Number.NEGATIVE_INFINITY
        heard = false
        wake()
      },
    }
    await db.listen(CHANGES_CHANNEL, listening, AbortSignal.any([signal, own.signal]))
    // A pooler lets it listen and hears nothing, so it has to hear itself.
    await db.query(`SELECT pg_notify('${CHANGES_CHANNEL}', '{}')`, [], signal)
  }
  return {
    /** @returns what waits for the first change since, or for the time to look anyway. */
    next() {
      if (!heard && performance.now() - triedAt > SELDOM_LOOK_MS) listen().catch(() => {})
      const { signal: change } = woken
      return () => sleep(heard ? SELDOM_LOOK_MS : LOOK_MS, undefined, { signal: change }).catch(() => {})
    },
  }
}
