import type { Database } from '../database/database.ts'
import type { QuarantinedFile } from '../plan/plan.ts'
import { orIfNoSchema } from './or-if-no-schema.ts'

/** The files of a source that could not be stored, by path. */
export async function readQuarantine(db: Database, sourceId: string): Promise<Map<string, QuarantinedFile>> {
  const { rows } = await orIfNoSchema(db.query<QuarantinedFile>(READ_QUARANTINE, [sourceId]), { rows: [] })
  return new Map(rows.map((row) => [row.path, row]))
}

const READ_QUARANTINE = /* sql */ `
SELECT path, blob_oid AS "blobOid", parser_version AS "parserVersion" FROM tidemark.quarantine WHERE source_id = $1`
