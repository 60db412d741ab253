import type { Database } from '../database/database.ts'
import type { StoredPage } from '../plan/plan.ts'
import { orIfNoSchema } from './or-if-no-schema.ts'

const PAGE_ROWS = 1_000

/**
 * The pages of a source in the byte order of their paths, some thousands at a time. A page that claims to have been
 * written in the future was edited by hand, so a full sync writes it again too.
 */
export async function* readPages(
  db: Database,
  sourceId: string,
  rewriteBefore: Date | null,
  signal: AbortSignal,
): AsyncGenerator<StoredPage[]> {
  for (let after = ''; ; ) {
    signal.throwIfAborted()
    const { rows } = await orIfNoSchema(db.query<StoredPage>(READ_PAGES, [sourceId, after, PAGE_ROWS, rewriteBefore]), {
      rows: [],
    })
    if (rows.length > 0) yield rows
    if (rows.length < PAGE_ROWS) return
    after = rows.at(-1)!.path
  }
}

const READ_PAGES = /* sql */ `
SELECT id, path, blob_oid AS "blobOid",
  CASE WHEN $4::timestamptz IS NOT NULL AND updated_at NOT BETWEEN $4 AND now() THEN 0 ELSE parser_version END AS "parserVersion"
FROM tidemark.pages
WHERE source_id = $1 AND path > $2 COLLATE "C"
ORDER BY path COLLATE "C"
LIMIT $3`

/** The pages of a source at these paths, in the byte order of the paths. */
export async function* readPagesAt(
  db: Database,
  sourceId: string,
  paths: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<StoredPage[]> {
  for (let start = 0; start < paths.length; start += PAGE_ROWS) {
    signal.throwIfAborted()
    const { rows } = await db.query<StoredPage>(READ_PAGES_AT, [
      sourceId,
      JSON.stringify(paths.slice(start, start + PAGE_ROWS)),
    ])
    if (rows.length > 0) yield rows
  }
}

const READ_PAGES_AT = /* sql */ `
SELECT id, path, blob_oid AS "blobOid", parser_version AS "parserVersion"
FROM tidemark.pages
WHERE source_id = $1 AND path IN (SELECT json_array_elements_text($2::json) COLLATE "C")
ORDER BY path COLLATE "C"`

/** How many pages a source has. */
export async function countPages(db: Database, sourceId: string): Promise<number> {
  const { rows } = await db.query('SELECT count(*)::integer AS count FROM tidemark.pages WHERE source_id = $1', [
    sourceId,
  ])
  return rows[0]!.count
}
