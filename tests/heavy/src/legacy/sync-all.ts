/**
 * The old cron job: one process, one source after the other. Arguments as JSON: database, embeddingUrl, sources,
 * ttlMs of a lock that nothing refreshes.
 */
import pg from 'pg'
import { releaseLock, takeLock } from './lock.ts'
import { syncLocked, syncSource } from './sync-source.ts'

const { database, embeddingUrl, sources, ttlMs } = JSON.parse(process.argv[2]!)
const db = new pg.Client({ connectionString: database })
await db.connect()
let refused = false
for (const source of sources) {
  const id = `sync:${source}`
  const lock = { take: () => takeLock(db, id, ttlMs), release: () => releaseLock(db, id) }
  const synced = await syncLocked(source, lock, () => syncSource(db, source, { embeddingUrl, skipStored: false }))
  refused ||= !synced
}
await db.end()
process.exitCode = refused ? 1 : 0
