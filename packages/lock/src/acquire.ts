import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { agesOf, holderOf, type LockHolder } from './held-lock.ts'
import { LockError } from './lock-error.ts'
import type { Settings } from './options.ts'
import { asLockError, type Queryable, run } from './queryable.ts'
import type { Statements } from './statements.ts'

/** Another has the key: who, and for how long already. */
export interface Contention {
  readonly acquired: false
  readonly holder: LockHolder
  readonly token: bigint
  readonly heldForMs: number
  readonly sinceRefreshMs: number | null
  readonly expiresInMs: number
}

/** The token of a new lease, and when the attempt that got it began. */
export interface Taken {
  readonly acquired: true
  readonly token: bigint
  readonly startedAt: number
}

/** How often a lost reply is asked for again before the fault is told. */
const MOST_ATTEMPTS = 3

/**
 * Tries once. A connection that fails on the way may have taken the lease without saying so, so the same attempt is
 * made again under its own id and finds itself.
 */
export async function tryTake(
  db: Queryable,
  statements: Statements,
  settings: Settings,
  key: string,
  info: unknown,
): Promise<Taken | Contention> {
  const { holder, holderId, ttlMs } = settings
  const note =
    info === undefined && holder.label === undefined ? null : JSON.stringify(info ?? { label: holder.label })
  const params = [key, holderId, holder.host, holder.pid, note, randomUUID(), ttlMs]
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now()
    try {
      const [row] = await run(db, statements.acquire, params)
      if (row && row.taken !== null) return { acquired: true, token: BigInt(row.taken), startedAt }
      // Held, or free again by now: the row was not visible yet, or was given up, while we waited for it.
      if (row && row.holder_id !== null && agesOf(row).expiresInMs > 0) return contention(row)
      if (attempt >= MOST_ATTEMPTS * 10)
        throw new LockError('LOCK_FAILED', `"${key}" changed hands too fast to be taken`)
    } catch (error) {
      const fault = asLockError(error)
      if (attempt >= MOST_ATTEMPTS || !isConnectionFault(fault.cause)) throw fault
    }
  }
}

function isConnectionFault(cause: unknown): boolean {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown }
  return (
    (typeof code === 'string' && /^(08|57P0[123]|ECONN|EPIPE)/.test(code)) ||
    /connection terminated|connection ended|not queryable/i.test(String(message))
  )
}

function contention(row: any): Contention {
  return { acquired: false, holder: holderOf(row), token: BigInt(row.token), ...agesOf(row) }
}

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

/**
 * Tries until the key is had or `waitMs` is over. Pauses grow to half a second and are spread at random between half and
 * the whole (the "equal jitter" of the AWS architecture blog on back-off), so that waiters don't come in step; they
 * are never longer than until the present lease expires.
 *
 * @throws {LockError} `LOCK_TIMEOUT` with the holder in its message, or the signal's reason.
 */
export async function waitFor(
  attempt: () => Promise<Taken | Contention>,
  key: string,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<Taken> {
  const until = performance.now() + waitMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted()
    const outcome = await attempt()
    if (outcome.acquired) return outcome
    const leftMs = until - performance.now()
    if (leftMs <= 0) {
      const { holder, heldForMs } = outcome
      const whom = `${holder.host}, process ${holder.pid}, for ${Math.round(heldForMs / 1000)} s`
      throw new LockError('LOCK_TIMEOUT', `"${key}" is held by ${whom}; waited ${waitMs} ms`)
    }
    const jittered = pauseMs * (0.5 + Math.random() / 2)
    await pause(Math.max(1, Math.min(jittered, leftMs, outcome.expiresInMs + 1)), signal)
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal && { signal })
  } catch (error) {
    // The timer's own error would hide why the caller gave up.
    throw signal?.aborted ? signal.reason : error
  }
}
