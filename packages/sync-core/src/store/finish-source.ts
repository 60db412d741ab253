import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { fencedQuery } from './fenced-query.ts'

export interface Completion {
  readonly source: { readonly id: string; readonly fingerprint: string }
  readonly runId: string
  readonly commit: string
  readonly status: string
  readonly counts: object
}

/**
 * Moves the bookmark: everything at this commit is in. In the same statement the run ends.
 *
 * @throws {LeaseLostError} when the fence did not hold.
 */
export async function finishSource(db: Database, lease: Lease, completion: Completion): Promise<void> {
  const { source, runId, commit, status, counts } = completion
  const params = [source.id, runId, commit, status, JSON.stringify(counts), PARSER_VERSION, source.fingerprint]
  await fencedQuery(db, lease, FINISH_SOURCE, params)
}

const FINISH_SOURCE = /* sql */ `
source AS (
  UPDATE tidemark.sources SET
    bookmark = $5, target = $5, dirty = false, rewrite_before = NULL, behind_since = NULL, parser_version = $8::integer, fingerprint = $9,
    last_checked_at = now(), last_synced_at = now(), last_status = $6
  FROM fence WHERE id = $3
)
UPDATE tidemark.runs SET finished_at = now(), status = $6, to_commit = $5, counts = $7::jsonb
FROM fence WHERE source_id = $3 AND id = $4::bigint
RETURNING 1`
