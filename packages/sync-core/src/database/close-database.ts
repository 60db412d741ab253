import type { Database } from './database.ts'

/** What giving up leases and connections may take; a server that has gone silent takes longer than anyone waits. */
const CLOSE_TIMEOUT_MS = 3_000

/**
 * Closes a database after work whose results stand, whatever comes of closing it.
 *
 * @param onFault told of what went wrong; a lease that is still had then ends by itself within its TTL.
 */
export async function closeDatabase(db: Database, onFault: (error: Error) => void): Promise<void> {
  const closing = db.close().catch(onFault)
  // An embedded database writes its files then, which must not be cut short.
  if (db.engine === 'pglite') return closing
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
  await Promise.race([closing, late])
  clearTimeout(timer)
}
