import type { Database } from '../database/database.ts'

/**
 * Records that a source could not even be looked at. Takes no lease: it was not had, or has been given back. What a run
 * has recorded since `lookedMsAgo` is newer and stays; that age is compared, not clocks. Returns the bookmark.
 */
export async function recordFailure(db: Database, sourceId: string, lookedMsAgo: number): Promise<string | null> {
  const { rows } = await db.query(RECORD_FAILURE, [sourceId, lookedMsAgo])
  return rows[0]?.bookmark ?? null
}

const RECORD_FAILURE = /* sql */ `
WITH recorded AS (
  UPDATE tidemark.sources SET last_status = 'failed'
  WHERE id = $1 AND (last_checked_at <= now() - $2::float8 * interval '1 millisecond') IS NOT FALSE
)
SELECT bookmark FROM tidemark.sources WHERE id = $1`
