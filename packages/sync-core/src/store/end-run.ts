import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'

export interface RunEnd {
  readonly sourceId: string
  readonly runId: string
  readonly status: string
  readonly reason: string | null
  readonly counts: object
}

/**
 * Notes how a run ended that did not finish its source. The bookmark stays. The run's own row is written in any
 * case, the source's only while the lease holds: after a take-over that row tells of another run.
 */
export async function endRun(db: Database, lease: Lease, end: RunEnd): Promise<void> {
  const fence = lease.fenceSql(1)
  const { sourceId, runId, status, reason, counts } = end
  await db.query(endRunSql(fence.text), [...fence.params, sourceId, runId, status, reason, JSON.stringify(counts)])
}

const endRunSql = (fence: string) => /* sql */ `
WITH fence AS MATERIALIZED (${fence}),
source AS (
  UPDATE tidemark.sources SET last_checked_at = now(), last_status = $5 FROM fence WHERE id = $3
)
UPDATE tidemark.runs SET finished_at = now(), status = $5, reason = $6, counts = $7::jsonb
WHERE source_id = $3 AND id = $4::bigint`
