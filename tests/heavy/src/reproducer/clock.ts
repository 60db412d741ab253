import { setTimeout as sleep } from 'node:timers/promises'

/** A clock on which an hour is some seconds. */
export interface ScaledClock {
  readonly hourMs: number
  /** Hours since the beginning. */
  now(): number
  /** Waits until that hour. @throws the signal's reason. */
  until(hour: number, signal: AbortSignal): Promise<void>
}

export function startClock(hourMs: number): ScaledClock {
  const started = performance.now()
  const now = () => (performance.now() - started) / hourMs
  return {
    hourMs,
    now,
    until: (hour, signal) => sleep(Math.max(0, (hour - now()) * hourMs), undefined, { signal }),
  }
}
