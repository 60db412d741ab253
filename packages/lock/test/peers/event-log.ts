import type { LeaseEvent } from '../../src/index.ts'

type EventType = LeaseEvent['type']

/** Keeps what `onEvent` is called with, and lets a test wait for an event instead of sleeping. */
export function eventLog() {
  const events: LeaseEvent[] = []
  let wake = Promise.withResolvers<void>()
  const ofType = <Type extends EventType>(type: Type) =>
    events.filter((event): event is Extract<LeaseEvent, { type: Type }> => event.type === type)
  return {
    events,
    types: () => events.map(({ type }) => type),
    ofType,
    onEvent(event: LeaseEvent) {
      events.push(event)
      wake.resolve()
      wake = Promise.withResolvers()
    },
    /** Resolves with the n-th event of a type, the first by default. */
    async next<Type extends EventType>(type: Type, n = 1): Promise<Extract<LeaseEvent, { type: Type }>> {
      for (;;) {
        const event = ofType(type)[n - 1]
        if (event) return event
        await wake.promise
      }
    },
  }
}
