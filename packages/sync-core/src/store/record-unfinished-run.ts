import type { Outcome } from '../run/outcome.ts'
import { type Fenced, queryWithFence } from './fenced-query.ts'

/**
 * Records how a run ended that did not finish its source. The bookmark stays. The run's own row is written in any case,
 * the source's only while the lease holds: after a take-over that row tells of another run.
 */
export async function recordUnfinishedRun(
  fenced: Fenced,
  sourceId: string,
  runId: string,
  end: {
    readonly outcome: Outcome
    /** Why, and what to do about it, where it does not go on by itself. */
    readonly detail: { readonly message: string; readonly hint?: string | undefined } | undefined
    readonly counts: object
  },
): Promise<void> {
  const { outcome, detail, counts } = end
  const reason = 'reason' in outcome ? outcome.reason : null
  const why = [detail?.message ?? null, detail?.hint ?? null]
  const params = [sourceId, runId, outcome.status, reason, JSON.stringify(counts), ...why]
  await queryWithFence(fenced, RECORD_UNFINISHED_RUN, params)
}

const RECORD_UNFINISHED_RUN = /* sql */ `
source AS (UPDATE tidemark.sources SET last_checked_at = now(), last_status = $5 FROM fence WHERE id = $3)
UPDATE tidemark.runs SET finished_at = now(), status = $5, reason = $6, counts = $7::jsonb, message = $8, hint = $9
WHERE source_id = $3 AND id = $4::bigint`
