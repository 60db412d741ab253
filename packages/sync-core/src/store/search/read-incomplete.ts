import type { Database } from '../../database/database.ts'
import { readRows } from '../read-rows.ts'

/** A source of which not every page can be found. */
export interface IncompleteIndex {
  readonly source: string
  /** Whether it has never been complete. */
  readonly first: boolean
  /** How many pages have entries, up to {@link MAX_COUNTED}; and how many are in, up to that too, where they are fewer. */
  readonly indexed: number
  readonly pages: number | null
}

/** More to be counted would take a search longer than what it finds; `readStatus` counts all. */
export const MAX_COUNTED = 10_000

/** The sources, of those or of all, that are being filled or have pages that no run has indexed yet. */
export const readIncomplete = (db: Database, sources: readonly string[] | null, signal?: AbortSignal) =>
  readRows<IncompleteIndex>(db, READ_INCOMPLETE, [sources], signal)

const count = (table: string) =>
  `(SELECT count(*)::integer FROM (SELECT FROM tidemark.${table} AS t WHERE t.source_id = source.id LIMIT ${MAX_COUNTED}) AS t)`

const READ_INCOMPLETE = /* sql */ `
WITH source AS MATERIALIZED (
  SELECT id, bookmark IS NULL AS first, ${count('search_pages')} AS indexed FROM tidemark.sources AS source
  WHERE unindexed_since_run IS NOT NULL AND ($1::text[] IS NULL OR id = ANY ($1::text[]))
)
SELECT id AS source, first, indexed, CASE WHEN indexed < ${MAX_COUNTED} THEN ${count('pages')} END AS pages
FROM source ORDER BY id`
