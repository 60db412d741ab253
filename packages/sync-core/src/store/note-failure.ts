import type { Database } from '../database/database.ts'

/** Notes that a source could not even be looked at; what it holds, and how old that is, stays as it was. */
export async function noteFailure(db: Database, sourceId: string): Promise<void> {
  await db.query(`UPDATE tidemark.sources SET last_status = 'failed' WHERE id = $1`, [sourceId])
}
