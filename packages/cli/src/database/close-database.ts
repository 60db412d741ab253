import { type Database, withoutSecrets } from '@tidemark/sync-core'

/** What giving up leases and connections may take; a server that has gone silent takes longer than anyone waits. */
const CLOSE_TIMEOUT_MS = 3_000

/**
 * Closes a database after the work. What the work has found or done stands, so that a fault is told as a warning; what
 * takes long goes on beside what is still to be printed.
 */
export async function closeDatabase(db: Database): Promise<void> {
  const closing = db.close().catch((error: Error) => {
    process.stderr.write(
      `tidemark: warning: ${db.name} was not closed as it should be: ${withoutSecrets(error.message)}\n  A lease that this command still had ends by itself within 90 s.\n`,
    )
  })
  // An embedded database writes its files then, which must not be cut short.
  if (db.engine === 'pglite') return closing
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
  await Promise.race([closing, late])
  clearTimeout(timer)
}
