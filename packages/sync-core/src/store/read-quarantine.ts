import type { Database } from '../database/database.ts'
import { ifMissing } from './if-missing.ts'

/** What made a file be set aside; it is tried again when either is another. */
export interface Quarantined {
  readonly path: string
  readonly blobOid: string
  readonly parserVersion: number
}

/** The files of a source that could not be stored, by path. */
export async function readQuarantine(db: Database, sourceId: string): Promise<Map<string, Quarantined>> {
  const { rows } = await ifMissing(db.query<Quarantined>(readQuarantineSql, [sourceId]), { rows: [] })
  return new Map(rows.map((row) => [row.path, row]))
}

const readQuarantineSql = /* sql */ `
SELECT path, blob_oid AS "blobOid", parser_version AS "parserVersion" FROM tidemark.quarantine WHERE source_id = $1`
