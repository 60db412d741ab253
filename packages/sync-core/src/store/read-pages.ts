import type { Database } from '../database/database.ts'
import { ifMissing } from './if-missing.ts'

/** What the plan needs to know of a stored page. */
export interface StoredPage {
  readonly id: string
  readonly path: string
  readonly blobOid: string
  readonly parserVersion: number
}

const PAGE_ROWS = 5_000

/** The pages of a source in the byte order of their paths, some thousands at a time. */
export async function* readPages(
  db: Database,
  sourceId: string,
  signal: AbortSignal,
): AsyncGenerator<StoredPage[]> {
  for (let after = ''; ; ) {
    signal.throwIfAborted()
    const { rows } = await ifMissing(db.query<StoredPage>(readPagesSql, [sourceId, after, PAGE_ROWS]), {
      rows: [],
    })
    if (rows.length > 0) yield rows
    if (rows.length < PAGE_ROWS) return
    after = rows.at(-1)!.path
  }
}

const readPagesSql = /* sql */ `
SELECT id, path, blob_oid AS "blobOid", parser_version AS "parserVersion"
FROM tidemark.pages
WHERE source_id = $1 AND path > $2 COLLATE "C"
ORDER BY path COLLATE "C"
LIMIT $3`
