import { type Contention, type SendAttempt, sleepOrAbort } from './acquire.ts'
import type { LocksContext } from './context.ts'
import { isTransient } from './database-error.ts'
import type { Acquired } from './lease.ts'
import { LockError } from './lock-error.ts'
import { enclosingLease } from './with-lock.ts'

/** Between two tries, spread by a tenth so that waiters don't come in step. */
const PAUSES_MS = [30, 60, 120]
/** The longer the wait, the longer the pauses: kinder to the database. */
const PAUSE_FRACTION = 0.01
/** Also where notifications wake us: a program that knows only of expiry sends none. */
export const MAX_PAUSE_MS = 1_000
/** A try gets this long also where less is left: it returns at least the holder. */
const MIN_TRY_MS = 200

/** Tries until the key is had or `waitMs` is over, through faults that may pass. */
export async function waitFor(
  { settings, wakeups, emit }: LocksContext,
  key: string,
  waitMs: number,
  send: SendAttempt,
  signal: AbortSignal,
): Promise<Acquired> {
  const enclosing = enclosingLease(key)
  const startedAt = performance.now()
  let contention: Contention | undefined
  let fault: { error: unknown; since: number } | undefined
  let woken = Promise.withResolvers<void>()
  const wake = () => woken.resolve()
  wakeups?.on(key, wake)
  // A release before that has notified no one.
  wakeups?.ready().then(wake, () => {})
  try {
    for (let tries = 0; ; tries++) {
      signal.throwIfAborted()
      try {
        const outcome = await send(Math.max(startedAt + waitMs - performance.now(), MIN_TRY_MS))
        if (outcome.acquired) return outcome
        if (enclosing?.held && outcome.token === enclosing.token) {
          const remedy = 'pass its lease on instead of taking it again'
          throw new LockError('LOCK_DEADLOCK', `"${key}" is held by the very call that waits for it: ${remedy}`)
        }
        if (outcome.token !== contention?.token)
          emit({ type: 'contended', key, token: outcome.token, holder: outcome.holder })
        contention = outcome
        fault = undefined
      } catch (error) {
        if (signal.aborted || !isTransient(error)) throw error
        fault = { error, since: fault?.since ?? performance.now() }
      }
      const now = performance.now()
      const leftMs = startedAt + waitMs - now
      if (leftMs <= 0) throw timeout(key, waitMs, contention, fault?.error)
      if (fault && waitMs === Number.POSITIVE_INFINITY && now - fault.since > settings.ttlMs) throw fault.error
      const paceMs = wakeups?.isListening() ? MAX_PAUSE_MS : (PAUSES_MS[tries] ?? PAUSES_MS.at(-1)!)
      const pauseMs = Math.min(Math.max(paceMs, (now - startedAt) * PAUSE_FRACTION), MAX_PAUSE_MS)
      const untilExpiryMs = !fault && contention && contention.expiresInMs > 0 ? contention.expiresInMs + 1 : pauseMs
      const sleeping = sleepOrAbort(Math.min(pauseMs * (0.9 + Math.random() / 5), leftMs, untilExpiryMs), signal)
      // May be woken already, by a notification during the try.
      await Promise.race([sleeping, woken.promise])
      woken = Promise.withResolvers()
    }
  } finally {
    wakeups?.off(key, wake)
  }
}

function timeout(key: string, waitMs: number, contention: Contention | undefined, fault: unknown): LockError {
  let message = `waited ${waitMs} ms for "${key}"`
  if (contention) {
    const { host, pid, label } = contention.holder
    const holder = `${host}, process ${pid}${label === null ? '' : ` (${label})`}`
    message += `; it is held by ${holder}, for ${Math.round(contention.heldForMs / 1000)} s`
  }
  if (fault) message += `; the last try failed: ${(fault as Error).message}`
  return new LockError('LOCK_TIMEOUT', message, fault)
}
