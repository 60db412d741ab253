import type { Database } from '../database/database.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import type { SourceRecord } from './start-run.ts'

export interface SourceCheck {
  readonly bookmark: string | null
  /** Whether the source holds exactly the commit, made the way that it would be made now. */
  readonly upToDate: boolean
  /** Whether the search index has every page, made for the source's language. */
  readonly indexed: boolean
  /** Why the source has no page of its bookmark; null where it has some. */
  readonly nothingSelected: string | null
}

/**
 * Compares a source with the commit that its ref names, and records in the same statement that it was looked at. Takes
 * no lease: nothing that a run goes by is written, and a run that ends meanwhile is seen as the update gets the row.
 * The clock is in no CASE or COALESCE, because Citus refuses a write that has it there.
 */
export async function recordCheck(db: Database, source: SourceRecord, commit: string): Promise<SourceCheck> {
  const params = [source.id, commit, PARSER_VERSION, source.fingerprint, source.language]
  const { rows } = await db.query<SourceCheck>(RECORD_CHECK, params)
  return rows[0] ?? { bookmark: null, upToDate: false, indexed: false, nothingSelected: null }
}

const UP_TO_DATE = 'coalesce(bookmark = $2 AND NOT dirty AND parser_version = $3 AND fingerprint = $4, false)'

const RECORD_CHECK = /* sql */ `
UPDATE tidemark.sources SET
  last_checked_at = now(),
  last_status = CASE WHEN ${UP_TO_DATE} THEN 'up_to_date' ELSE last_status END,
  behind_since = least(behind_since, now()) + CASE WHEN ${UP_TO_DATE} THEN NULL ELSE interval '0' END
WHERE id = $1 RETURNING bookmark, ${UP_TO_DATE} AS "upToDate",
  coalesce(unindexed_since_run IS NULL AND search_language = $5, false) AS indexed, nothing_selected AS "nothingSelected"`
