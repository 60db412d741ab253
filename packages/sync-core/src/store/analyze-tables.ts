import type { Database } from '../database/database.ts'

/** With fewer pages a plan is good enough without statistics. */
const ANALYZE_ABOVE = 1_000

/** Of what rows are looked up by, joined or sorted; texts take most of the time and no plan goes by them. */
const ANALYZE = /* sql */ `
ANALYZE tidemark.pages (source_id, id, path, slug, link_key, seq), tidemark.chunks (source_id, page_id, ordinal, content_hash),
  tidemark.links (source_id, page_id, ordinal, kind, target_key, target_other_key), tidemark.aliases, tidemark.files`

/**
 * Gathers statistics after a first import, for those who query the tables now: Postgres does it by itself some minutes
 * later, PGlite never. Nothing hangs on it, and only the owner of the tables may.
 */
export async function analyzeTables(db: Database, pages: number): Promise<void> {
  if (pages <= ANALYZE_ABOVE) return
  try {
    await db.query(ANALYZE)
  } catch {
    // The run is over, or what it meets is met by the next statement too.
  }
}
