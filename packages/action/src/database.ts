import * as core from '@actions/core'
import { type Database, migrate, openDatabase } from '@tidemark/sync-core'
import type { Chosen } from './chosen-sources.ts'
import { explained } from './explained.ts'

/** Opens the database for some work, and closes it afterwards. The signal ends the wait for it to answer. */
export async function withDatabase<T>(
  { database }: Pick<Chosen, 'database'>,
  work: (db: Database) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const db = await openDatabase(database, { signal })
  try {
    return await work(db)
  } finally {
    await close(db)
  }
}

/** The same, with its tables up to date. */
export function withMigratedDatabase<T>(
  chosen: Pick<Chosen, 'database'>,
  work: (db: Database) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const migrated = async (db: Database) => {
    await raceAbort(migrate(db), signal)
    return work(db)
  }
  return withDatabase(chosen, migrated, signal)
}

/** A job that is cancelled is killed 10 s later, of which stopping may have taken some. */
const CLOSE_TIMEOUT_MS = 3_000

/** What was done stands, so that a fault is a warning; a server that has gone silent is not waited for. */
async function close(db: Database): Promise<void> {
  const closing = db.close().catch((error: unknown) => {
    core.warning(`${explained(error)}. A lease that the step still had ends by itself within 90 s.`, {
      title: 'tidemark: the database was not closed as it should be',
    })
  })
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
  await Promise.race([closing, late])
  clearTimeout(timer)
}

/** Waits for work that cannot be stopped itself no longer than the signal lets it. */
async function raceAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
