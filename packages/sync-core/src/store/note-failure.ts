import type { Database } from '../database/database.ts'

/**
 * Notes that a source could not even be looked at; what it holds, and how old that is, stays as it was.
 *
 * @returns its bookmark.
 */
export async function noteFailure(db: Database, sourceId: string): Promise<string | null> {
  const { rows } = await db.query(noteFailureSql, [sourceId])
  return rows[0]?.bookmark ?? null
}

const noteFailureSql = /* sql */ `
UPDATE tidemark.sources SET last_status = 'failed' WHERE id = $1 RETURNING bookmark`
