/**
 * The first fix: a process for each source, with a budget that the loops over files look at, and a lock with a sign of
 * life. Arguments as JSON: database, embeddingUrl, source, budgetMs, ttlMs, refreshMs; or database, breakOlderThanMs.
 */
import pg from 'pg'
import { breakOldLocks, refreshLock, releaseLock, takeLock } from './lock.ts'
import { syncLocked, syncSource } from './sync-source.ts'

const settings = JSON.parse(process.argv[2]!)
const db = new pg.Client({ connectionString: settings.database })
await db.connect()
if ('breakOlderThanMs' in settings) await breakOldLocks(db, settings.breakOlderThanMs)
else {
  const { embeddingUrl, source, budgetMs, ttlMs, refreshMs } = settings
  const signal = AbortSignal.timeout(budgetMs)
  const id = `sync:${source}`
  const refresh = setInterval(() => void refreshLock(db, id, ttlMs), refreshMs)
  const lock = { take: () => takeLock(db, id, ttlMs), release: () => releaseLock(db, id) }
  const synced = await syncLocked(source, lock, () =>
    syncSource(db, source, { embeddingUrl, skipStored: true, signal }),
  )
  clearInterval(refresh)
  process.exitCode = synced ? 0 : 1
}
await db.end()
