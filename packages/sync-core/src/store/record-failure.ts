import type { Database } from '../database/database.ts'

/**
 * Records that a source could not even be looked at; what it holds, and how old that is, stays as it was. Takes no lease:
 * it was not had, or has been given back.
 *
 * Survives a run that has looked at the source meanwhile, or has ended: what that has recorded is newer and stays. Both
 * times are the server's, whose clock is not compared with ours: only how long ago this run looked is told to it.
 *
 * @param lookedMsAgo how long ago this run began, or last found out where the source is.
 * @returns its bookmark.
 */
export async function recordFailure(db: Database, sourceId: string, lookedMsAgo: number): Promise<string | null> {
  const { rows } = await db.query(RECORD_FAILURE, [sourceId, lookedMsAgo])
  return rows[0]?.bookmark ?? null
}

const RECORD_FAILURE = /* sql */ `
WITH recorded AS (
  UPDATE tidemark.sources SET last_status = 'failed'
  WHERE id = $1 AND coalesce(last_checked_at <= now() - $2::float8 * interval '1 millisecond', true)
)
SELECT bookmark FROM tidemark.sources WHERE id = $1`
