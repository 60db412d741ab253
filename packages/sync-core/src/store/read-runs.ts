import type { Database } from '../database/database.ts'
import type { SyncStatus } from '../run/outcome.ts'
import { readRows } from './read-rows.ts'

/** A run as the database remembers it. */
export interface RunRecord {
  readonly source: string
  readonly id: string
  readonly startedAt: Date
  /** Null while it runs, and for one that was killed. */
  readonly finishedAt: Date | null
  readonly status: SyncStatus | null
  readonly reason: string | null
  readonly fromCommit: string | null
  readonly toCommit: string | null
  readonly counts: Readonly<Record<string, number>> | null
  readonly host: string
  readonly pid: number
}

/** The newest runs first, of one source or of all. */
export function readRuns(db: Database, options: { source?: string | undefined; limit: number }): Promise<RunRecord[]> {
  return readRows(db, READ_RUNS, [options.source ?? null, options.limit])
}

const READ_RUNS = /* sql */ `
SELECT source_id AS source, id, started_at AS "startedAt", finished_at AS "finishedAt", status, reason,
       from_commit AS "fromCommit", to_commit AS "toCommit", counts, host, pid
FROM tidemark.runs WHERE $1::text IS NULL OR source_id = $1 ORDER BY id DESC LIMIT $2`
