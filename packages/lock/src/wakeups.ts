/** The channel of `NOTIFY`; the payload is a key that was freed, or whose holder is asked to resign. */
export const CHANNEL = 'tidemark_lock'

type OnNotification = (message: { channel: string; payload?: string | undefined }) => void

/** A connection that may LISTEN: a connected `pg.Client`, PGlite, or `sql` of postgres.js. */
export type Listener =
  | { listen(channel: string, callback: (payload: string) => void): Promise<unknown> }
  | {
      query(text: string): Promise<unknown>
      on(event: 'notification', callback: OnNotification): unknown
      off(event: 'notification', callback: OnNotification): unknown
    }

export type Wakeups = ReturnType<typeof createWakeups>

/** Wakes those who wait for a key. @param onKey called with every key, also where nobody waits. */
export function createWakeups(listener: Listener, onKey: (key: string) => void) {
  const callbacks = new Map<string, Set<() => void>>()
  let listening: Promise<void> | undefined
  let unlisten: (() => Promise<unknown>) | undefined
  let closed = false
  const wake = (key: string) => {
    onKey(key)
    for (const callback of callbacks.get(key) ?? []) callback()
  }
  const listen = async () => {
    unlisten = await subscribe(listener, wake)
    if (closed) await unlisten()
  }
  return {
    /** Resolves when the connection listens; after a rejection the next call tries again. */
    ready(): Promise<void> {
      listening ??= listen().catch((error) => {
        listening = undefined
        throw error
      })
      return listening
    },
    /** @returns the function that unregisters the callback. */
    on(key: string, callback: () => void): () => void {
      const waiting = callbacks.get(key) ?? new Set()
      callbacks.set(key, waiting.add(callback))
      return () => {
        waiting.delete(callback)
        if (waiting.size === 0) callbacks.delete(key)
      }
    },
    async close(): Promise<void> {
      closed = true
      await unlisten?.()
    },
  }
}

/** @returns the function that unsubscribes. */
async function subscribe(listener: Listener, wake: (key: string) => void): Promise<() => Promise<unknown>> {
  if ('listen' in listener) {
    const subscription: any = await listener.listen(CHANNEL, wake)
    // PGlite returns a function, postgres.js an object that has one.
    return async () => (typeof subscription === 'function' ? subscription() : subscription?.unlisten?.())
  }
  const onNotification: OnNotification = ({ channel, payload }) => {
    if (channel === CHANNEL && payload !== undefined) wake(payload)
  }
  listener.on('notification', onNotification)
  await listener.query(`LISTEN ${CHANNEL}`)
  return () => {
    listener.off('notification', onNotification)
    return listener.query(`UNLISTEN ${CHANNEL}`)
  }
}
