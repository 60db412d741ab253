import { EventEmitter } from 'node:events'

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

/** @param onKey called with every key that the database notifies of; those who wait for it are woken. */
export function createWakeups(listener: Listener, onKey: (key: string) => void) {
  const waiters = new EventEmitter().setMaxListeners(0)
  let listening: Promise<void> | undefined
  let unlisten: (() => Promise<unknown>) | undefined
  let closed = false
  const listen = async () => {
    unlisten = await subscribe(listener, (key) => {
      onKey(key)
      waiters.emit(eventOf(key))
    })
    if (closed) await unlisten()
  }
  return {
    isListening: () => unlisten !== undefined,
    /** Resolves when the connection listens; after a rejection the next call tries again. */
    ready(): Promise<void> {
      listening ??= listen().catch((error) => {
        listening = undefined
        throw error
      })
      return listening
    },
    on: (key: string, wake: () => void) => void waiters.on(eventOf(key), wake),
    off: (key: string, wake: () => void) => void waiters.off(eventOf(key), wake),
    async close(): Promise<void> {
      closed = true
      await unlisten?.()
    },
  }
}

/** An emitter throws where nobody listens to `error`. */
const eventOf = (key: string) => `key ${key}`

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
