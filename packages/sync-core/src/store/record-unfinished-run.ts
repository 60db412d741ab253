import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { fencedStatement } from './fenced-query.ts'

export interface UnfinishedRun {
  readonly sourceId: string
  readonly runId: string
  readonly status: string
  readonly reason: string | null
  readonly counts: object
}

/**
 * Records how a run ended that did not finish its source. The bookmark stays. The run's own row is written in any
 * case, the source's only while the lease holds: after a take-over that row tells of another run.
 */
export async function recordUnfinishedRun(db: Database, lease: Lease, run: UnfinishedRun): Promise<void> {
  const { sourceId, runId, status, reason, counts } = run
  const params = [sourceId, runId, status, reason, JSON.stringify(counts)]
  const statement = fencedStatement(lease, RECORD_UNFINISHED_RUN, params)
  await db.query(statement.text, statement.params)
}

const RECORD_UNFINISHED_RUN = /* sql */ `
source AS (
  UPDATE tidemark.sources SET last_checked_at = now(), last_status = $5 FROM fence WHERE id = $3
)
UPDATE tidemark.runs SET finished_at = now(), status = $5, reason = $6, counts = $7::jsonb
WHERE source_id = $3 AND id = $4::bigint`
