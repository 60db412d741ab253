import { PARSER_VERSION } from '../parse/parser-version.ts'
import { type Fenced, fencedQuery } from './fenced-query.ts'
import type { SourceRecord } from './start-run.ts'

/** Moves the bookmark, everything at this commit is in, and ends the run. @throws {LeaseLostError} */
export async function finishSource(
  fenced: Fenced,
  source: SourceRecord,
  run: {
    readonly id: string
    readonly commit: string
    readonly status: string
    readonly counts: object
    readonly nothingSelected: string | null
  },
): Promise<void> {
  const { id, commit, status, counts, nothingSelected } = run
  const made = [PARSER_VERSION, source.fingerprint, nothingSelected]
  const params = [source.id, id, commit, status, JSON.stringify(counts), ...made]
  await fencedQuery(fenced, FINISH_SOURCE, params)
}

const FINISH_SOURCE = /* sql */ `
source AS (
  UPDATE tidemark.sources SET
    bookmark = $5, target = $5, dirty = false, rewrite_before = NULL, behind_since = NULL, parser_version = $8::integer, fingerprint = $9,
    last_checked_at = now(), last_synced_at = now(), last_status = $6, nothing_selected = $10
  FROM fence WHERE id = $3
)
UPDATE tidemark.runs SET finished_at = now(), status = $6, to_commit = $5, counts = $7::jsonb
FROM fence WHERE source_id = $3 AND id = $4::bigint RETURNING 1`
