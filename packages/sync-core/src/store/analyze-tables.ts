import type { Database } from '../database/database.ts'

/** With fewer pages a plan is good enough without statistics. */
const ANALYZE_ABOVE = 1_000

/**
 * Gathers statistics after a first import, for those who query the tables now: Postgres does it by itself some minutes
 * later, PGlite never. Nothing hangs on it, and only the owner of the tables may.
 */
export async function analyzeTables(db: Database, pages: number): Promise<void> {
  if (pages <= ANALYZE_ABOVE) return
  try {
    for (const table of ['pages', 'chunks', 'links', 'aliases', 'files']) await db.query(`ANALYZE tidemark.${table}`)
  } catch {
    // The run is over, or what it meets is met by the next statement too.
  }
}
