import { hostname } from 'node:os'
import type { Database } from '../database/database.ts'
import type { Outcome } from '../run/outcome.ts'

/**
 * Records a run that ended before it had a plan: its repository could not even be looked at. Takes no lease: it was not
 * had, or has been given back. What a run has recorded of the source since `lookedMsAgo` is newer and stays; that age is
 * compared, not clocks. Returns the bookmark.
 */
export async function recordEarlyEnd(
  db: Database,
  sourceId: string,
  outcome: Outcome,
  { lookedMsAgo, elapsedMs }: { readonly lookedMsAgo: number; readonly elapsedMs: number },
): Promise<string | null> {
  const { status } = outcome
  const { message = null, hint = null } = status === 'failed' ? outcome.error : {}
  const reason = 'reason' in outcome ? outcome.reason : null
  const params = [sourceId, lookedMsAgo, elapsedMs, status, reason, message, hint, hostname(), process.pid]
  const { rows } = await db.query(RECORD_EARLY_END, params)
  return rows[0]?.bookmark ?? null
}

const interval = (parameter: string) => `${parameter}::float8 * interval '1 millisecond'`

const RECORD_EARLY_END = /* sql */ `
WITH source AS (
  UPDATE tidemark.sources SET last_status = $4
  WHERE id = $1 AND $4 = 'failed' AND (last_checked_at <= now() - ${interval('$2')}) IS NOT FALSE
),
run AS (
  INSERT INTO tidemark.runs (source_id, started_at, finished_at, status, reason, message, hint, host, pid)
  VALUES ($1, now() - ${interval('$3')}, now(), $4, $5, $6, $7, $8, $9::integer)
)
SELECT bookmark FROM tidemark.sources WHERE id = $1`

/** So many runs in a row that only waited for a server are no accident. */
const MAX_HANGING_RUNS = 3

/** Whether this run and those before it did nothing but wait for a server; the source and the run have failed then. */
export async function recordHanging(db: Database, sourceId: string, error: { message: string; hint: string }) {
  const { rows } = await db.query(RECORD_HANGING, [sourceId, MAX_HANGING_RUNS, error.message, error.hint])
  return rows.length > 0
}

const RECORD_HANGING = /* sql */ `
WITH newest AS (
  SELECT id, reason = 'pull_timeout' AND coalesce((counts ->> 'blobsRead')::integer, 0) = 0 AS hung
  FROM tidemark.runs WHERE source_id = $1 ORDER BY id DESC LIMIT $2::integer
),
source AS (
  UPDATE tidemark.sources SET last_status = 'failed'
  WHERE id = $1 AND (SELECT count(*) FROM newest WHERE hung) = $2::integer
)
UPDATE tidemark.runs SET status = 'failed', message = $3, hint = $4
WHERE source_id = $1 AND id = (SELECT max(id) FROM newest) AND (SELECT count(*) FROM newest WHERE hung) = $2::integer
RETURNING 1`
