import type { Database } from '../database/database.ts'
import type { RunStatus } from '../run/outcome.ts'
import { readRows } from './read-rows.ts'

/** A run as the database remembers it. */
export interface RunRecord {
  readonly source: string
  readonly id: string
  readonly startedAt: Date
  /** Null while it runs, and for one that was killed. */
  readonly finishedAt: Date | null
  /** `killed` is one that left no word, found by the next. */
  readonly status: RunStatus | null
  readonly reason: string | null
  /** What was wrong with one that failed, and what to do about it. */
  readonly message: string | null
  readonly hint: string | null
  readonly fromCommit: string | null
  readonly toCommit: string | null
  readonly counts: Readonly<Record<string, number>> | null
  readonly host: string
  readonly pid: number
}

/** The newest runs first, of one source or of all; `failed` where only those that someone should look at. */
export function readRuns(
  db: Database,
  options: { source?: string | undefined; failed?: boolean | undefined; limit: number },
): Promise<RunRecord[]> {
  return readRows(db, READ_RUNS, [options.source ?? null, options.limit, options.failed ?? false])
}

// A run without an end whose lease is gone was killed; the next run of its source writes that down.
export const SEEN_STATUS = /* sql */ `CROSS JOIN LATERAL (
  SELECT CASE WHEN run.finished_at IS NULL AND NOT EXISTS (
    SELECT FROM tidemark.locks WHERE key = 'sync:' || run.source_id AND holder_id IS NOT NULL AND expires_at > clock_timestamp()
  ) THEN 'killed' ELSE run.status END AS status
) AS seen`

const READ_RUNS = /* sql */ `
SELECT source_id AS source, id, started_at AS "startedAt", finished_at AS "finishedAt", seen.status, reason, message, hint,
  from_commit AS "fromCommit", to_commit AS "toCommit", counts, host, pid
FROM tidemark.runs AS run ${SEEN_STATUS}
WHERE ($1::text IS NULL OR source_id = $1)
  AND (NOT $3::boolean OR seen.status IN ('failed', 'blocked', 'blocked_by_failures', 'killed'))
ORDER BY id DESC LIMIT $2`
