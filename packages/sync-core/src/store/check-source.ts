import type { Database } from '../database/database.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'

/**
 * Whether a source already holds exactly this commit, made the way that it would be made now. Notes the time of
 * the look in the same statement; takes no lease and writes nothing else.
 */
export async function checkSource(
  db: Database,
  source: { id: string; fingerprint: string },
  commit: string,
): Promise<boolean> {
  const { rows } = await db.query(checkSourceSql, [source.id, commit, PARSER_VERSION, source.fingerprint])
  return rows.length > 0
}

const checkSourceSql = /* sql */ `
UPDATE tidemark.sources SET last_checked_at = now(), last_status = 'up_to_date'
WHERE id = $1 AND bookmark = $2 AND NOT dirty AND parser_version = $3 AND fingerprint = $4
RETURNING 1`
