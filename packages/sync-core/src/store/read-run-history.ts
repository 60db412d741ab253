import type { Database } from '../database/database.ts'
import type { RunStatus } from '../run/outcome.ts'
import { readRows } from './read-rows.ts'

/** A run that has ended, and how stale its source was then. */
export interface EndedRun {
  readonly source: string
  readonly status: RunStatus
  /** For how long this run, and those before it that did not complete the source, had known of a newer commit. */
  readonly behindMs: number | null
}

/** What was stopped again and again has been behind since the first of so many runs. */
const MAX_RUNS = 50

/** The newest runs of each of these sources that have ended, newest first. */
export const readRunHistory = (db: Database, ids: readonly string[]): Promise<EndedRun[]> =>
  readRows(db, READ_RUN_HISTORY, [ids, MAX_RUNS])

// A lap begins after a run that was complete, and ends with the next one. A run without a commit has not come to know
// that there is a newer one.
const READ_RUN_HISTORY = /* sql */ `
SELECT source_id AS source, coalesce(status, 'killed') AS status, (extract(epoch FROM finished_at - (
    min(started_at) FILTER (WHERE to_commit IS NOT NULL) OVER (PARTITION BY source_id, lap ORDER BY id)
  )) * 1000)::double precision AS "behindMs"
FROM (
  SELECT run.*, count(*) FILTER (WHERE status IN ('synced', 'first_sync', 'up_to_date'))
    OVER (PARTITION BY source_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lap
  FROM unnest($1::text[]) AS wanted (source) CROSS JOIN LATERAL (
    SELECT source_id, id, started_at, finished_at, status, to_commit FROM tidemark.runs
    WHERE source_id = wanted.source ORDER BY runs.id DESC LIMIT $2
  ) AS run
) AS run
WHERE finished_at IS NOT NULL ORDER BY id DESC`
