import { setTimeout as sleep } from 'node:timers/promises'
import { asLockError, sqlState } from './database-error.ts'
import { LockError } from './lock-error.ts'

/** Whatever runs SQL: `pg.Pool`, `pg.Client` and PGlite fit as they are. */
export interface Queryable {
  query(text: string, params?: unknown[]): Promise<{ rows: any[] }>
}

const MAX_ATTEMPTS = 10

/** Runs one statement, again after a race (40001) or a deadlock (40P01): both mean that nothing was done. */
export async function run<Row = any>(db: Queryable, text: string, params: unknown[]): Promise<Row[]> {
  let race: unknown
  for (let attempt = 1; ; attempt++) {
    try {
      return (await db.query(text, params)).rows
    } catch (error) {
      const state = sqlState(error)
      // In a transaction of the caller's own it cannot be run again, and the first error says why.
      if (state === '25P02' && race) throw asLockError(race)
      if ((state !== '40001' && state !== '40P01') || attempt >= MAX_ATTEMPTS) throw asLockError(error)
      race = error
      await sleep(Math.random() * 2 ** Math.min(attempt, 5))
    }
  }
}

/** The longest that a timer waits. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** Awaits a statement for no longer than that: one that was sent cannot be called back, but nobody must wait for it. */
export async function answerWithin<T>(timeoutMs: number, statement: Promise<T>, signal?: AbortSignal): Promise<T> {
  const { promise: gaveUp, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal!.reason)
  const noAnswer = `the database has not answered within ${Math.round(timeoutMs)} ms`
  const timer = setTimeout(() => reject(new LockError('LOCK_FAILED', noAnswer)), timeoutMs)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort)
  try {
    return await Promise.race([gaveUp, statement])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
