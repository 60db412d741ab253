/** Where `NOTIFY` tells of keys: that one is free, or that its holder is asked to give it up. The key is the payload. */
export const CHANNEL = 'tidemark_lock'

/** A connection that may LISTEN: a connected `pg.Client`, PGlite, or `sql` of postgres.js. */
export type Listener =
  | { listen(channel: string, callback: (payload: string) => void): Promise<unknown> }
  | {
      query(text: string): Promise<unknown>
      on(
        event: 'notification',
        callback: (message: { channel: string; payload?: string | undefined }) => void,
      ): unknown
      off?(
        event: 'notification',
        callback: (message: { channel: string; payload?: string | undefined }) => void,
      ): unknown
    }

/** Wakes those who wait for a key. */
export interface Wakeups {
  /** Resolves when the connection listens; rejects where it cannot. */
  ready(): Promise<void>
  /** Calls back whenever the database tells of the key. @returns what ends that. */
  on(key: string, callback: () => void): () => void
  close(): Promise<void>
}

/** @param onKey told of every key, also of those that nobody waits for. */
export function createWakeups(listener: Listener, onKey: (key: string) => void): Wakeups {
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
    async ready() {
      listening ??= listen()
      try {
        await listening
      } catch (error) {
        // The next who waits tries again.
        listening = undefined
        throw error
      }
    },
    on(key, callback) {
      const waiting = callbacks.get(key) ?? new Set()
      callbacks.set(key, waiting.add(callback))
      return () => {
        waiting.delete(callback)
        if (waiting.size === 0) callbacks.delete(key)
      }
    },
    async close() {
      closed = true
      await unlisten?.()
    },
  }
}

/** @returns what ends it. */
async function subscribe(listener: Listener, wake: (key: string) => void): Promise<() => Promise<unknown>> {
  if ('listen' in listener) {
    const subscription: any = await listener.listen(CHANNEL, wake)
    // PGlite returns a function, postgres.js an object that has one.
    return async () => (typeof subscription === 'function' ? subscription() : subscription?.unlisten?.())
  }
  const onNotification = ({ channel, payload }: { channel: string; payload?: string | undefined }) => {
    if (channel === CHANNEL && payload !== undefined) wake(payload)
  }
  listener.on('notification', onNotification)
  await listener.query(`LISTEN ${CHANNEL}`)
  return async () => {
    listener.off?.('notification', onNotification)
    await listener.query(`UNLISTEN ${CHANNEL}`)
  }
}
