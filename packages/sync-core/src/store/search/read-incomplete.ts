import type { Database } from '../../database/database.ts'
import { readRows } from '../read-rows.ts'

/** A source of which not every page can be found. */
export interface IncompleteIndex {
  readonly source: string
  /** Whether it has never been complete. */
  readonly first: boolean
  /** How many pages are in, and how many of them have entries; up to {@link MAX_COUNTED}. */
  readonly pages: number
  readonly indexed: number
}

/** More to be counted would take a search longer than what it finds; `readStatus` counts all. */
export const MAX_COUNTED = 10_000

/** The sources, of those or of all, that are being filled or have pages that no run has indexed yet. */
export const readIncomplete = (db: Database, sources: readonly string[] | null, signal?: AbortSignal) =>
  readRows<IncompleteIndex>(db, READ_INCOMPLETE, [sources], signal)

const count = (table: string) =>
  `(SELECT count(*)::integer FROM (SELECT FROM tidemark.${table} AS t WHERE t.source_id = source.id LIMIT ${MAX_COUNTED}) AS t)`

const READ_INCOMPLETE = /* sql */ `
SELECT id AS source, bookmark IS NULL AS first, ${count('pages')} AS pages, ${count('search_pages')} AS indexed
FROM tidemark.sources AS source
WHERE unindexed_since_run IS NOT NULL AND ($1::text[] IS NULL OR id = ANY ($1::text[])) ORDER BY id`
