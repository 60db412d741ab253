import type { Database } from '../database/database.ts'
import type { QuarantineCode } from '../parse/quarantine-error.ts'
import type { QuarantinedFile } from '../plan/plan.ts'
import { readRows } from './read-rows.ts'

/** The files of a source that could not be stored, by path. */
export async function readQuarantine(db: Database, sourceId: string): Promise<Map<string, QuarantinedFile>> {
  const rows = await readRows<QuarantinedFile>(db, READ_QUARANTINE, [sourceId])
  return new Map(rows.map((row) => [row.path, row]))
}

const READ_QUARANTINE = /* sql */ `
SELECT path, blob_oid AS "blobOid", parser_version AS "parserVersion" FROM tidemark.quarantine WHERE source_id = $1`

/** A file that is set aside, and for how long it has been. */
export interface QuarantineRecord {
  readonly source: string
  readonly path: string
  readonly code: QuarantineCode
  readonly message: string
  readonly blobOid: string
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

/** The files that are set aside, of one source or of all, by source and path. */
export function listQuarantine(db: Database, source: string | null): Promise<QuarantineRecord[]> {
  return readRows(db, LIST_QUARANTINE, [source])
}

const LIST_QUARANTINE = /* sql */ `
SELECT source_id AS source, path, code, message, blob_oid AS "blobOid", first_seen_at AS "firstSeenAt",
  last_seen_at AS "lastSeenAt"
FROM tidemark.quarantine WHERE $1::text IS NULL OR source_id = $1 ORDER BY source_id, path COLLATE "C"`
