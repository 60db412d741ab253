import type { Database } from '../../database/database.ts'
import { type Fenced, fencedQuery } from '../fenced-query.ts'

/** Which pages the index may lack. */
export interface Unindexed {
  readonly sourceId: string
  readonly language: string
  /** Null where they are not known. */
  readonly paths: readonly string[] | null
}

/**
 * Writes the entries of the next pages that lack them or whose are of something else.
 *
 * @param after pages up to this id are done.
 * @returns how many it has written, and the id of the last; null where there was none to write.
 * @throws {LeaseLostError}
 */
export async function indexBatch(fenced: Fenced, unindexed: Unindexed, after: string, maxPages: number) {
  const { sourceId, language, paths } = unindexed
  const params = [sourceId, language, after, maxPages, ...(paths === null ? [] : [JSON.stringify(paths)])]
  const sql = indexBatchSql(paths !== null)
  return (await fencedQuery<{ pages: number; last: string | null }>(fenced, sql, params))[0]
}

// Blob and parser make the text, the path perhaps the title; the time tells what a full sync has written again with
// the same of both. As a number: how a timestamp reads depends on the session.
const CONTENT_FINGERPRINT =
  "md5(concat_ws(' ', page.blob_oid, page.parser_version, setting.language, extract(epoch FROM page.updated_at), page.title))::uuid"

// OFFSET 0 keeps what is looked up page by page from becoming a join: that reads all of a source for each batch, which
// the planner prefers while a table that is being filled has no statistics.
const indexBatchSql = (byPath: boolean) => /* sql */ `
setting AS MATERIALIZED (SELECT tidemark.dictionary_for($4) AS language FROM fence),
page AS MATERIALIZED (
  SELECT page.id, ${CONTENT_FINGERPRINT} AS content_fingerprint, setweight(to_tsvector(setting.language::regconfig, page.title), 'A') AS title
  FROM setting CROSS JOIN tidemark.pages AS page
  WHERE page.source_id = $3 AND page.id > $5::bigint AND ${CONTENT_FINGERPRINT} IS DISTINCT FROM (
      SELECT known.content_fingerprint FROM tidemark.search_pages AS known
      WHERE known.source_id = page.source_id AND known.page_id = page.id
    )
    ${byPath ? 'AND page.path IN (SELECT json_array_elements_text($7::json) COLLATE "C")' : ''}
  ORDER BY page.id LIMIT $6::integer
),
entry AS (
  INSERT INTO tidemark.search_chunks AS old (source_id, page_id, ordinal, content_hash, language, words)
  SELECT $3, page.id, chunk.ordinal, chunk.content_hash, setting.language,
    page.title
    || setweight(to_tsvector(setting.language::regconfig, array_to_string(chunk.heading_path, ' ')), 'B')
    || to_tsvector(setting.language::regconfig, chunk.content)
  FROM setting CROSS JOIN page CROSS JOIN LATERAL (
    SELECT * FROM tidemark.chunks AS chunk WHERE chunk.source_id = $3 AND chunk.page_id = page.id OFFSET 0
  ) AS chunk
  ON CONFLICT (source_id, page_id, ordinal) DO UPDATE
  SET content_hash = excluded.content_hash, language = excluded.language, words = excluded.words
  WHERE old IS DISTINCT FROM excluded
),
fewer AS (
  DELETE FROM tidemark.search_chunks WHERE ctid = ANY (ARRAY(
    SELECT entry.ctid FROM page CROSS JOIN LATERAL (
      SELECT entry.ctid FROM tidemark.search_chunks AS entry
      WHERE entry.source_id = $3 AND entry.page_id = page.id AND NOT EXISTS (
        SELECT FROM tidemark.chunks AS chunk
        WHERE chunk.source_id = $3 AND chunk.page_id = entry.page_id AND chunk.ordinal = entry.ordinal
      )
      OFFSET 0
    ) AS entry
  ))
),
known AS (
  INSERT INTO tidemark.search_pages (source_id, page_id, content_fingerprint)
  SELECT $3, id, content_fingerprint FROM page
  ON CONFLICT (source_id, page_id) DO UPDATE SET content_fingerprint = excluded.content_fingerprint
)
SELECT count(page.id)::integer AS pages, max(page.id) AS last FROM fence LEFT JOIN page ON true
HAVING count(*) > 0`

/** The newest run whose pages the index may lack. */
export async function readUnindexedRun(db: Database, sourceId: string): Promise<string | null> {
  const { rows } = await db.query('SELECT unindexed_since_run AS run FROM tidemark.sources WHERE id = $1', [sourceId])
  return rows[0]?.run ?? null
}

/** Records that the index has every page, unless a run has begun to write others since `run` was read. */
export const finishIndex = (fenced: Fenced, { sourceId, language }: Unindexed, run: string | null) =>
  fencedQuery(fenced, FINISH_INDEX, [sourceId, language, run])

const FINISH_INDEX = /* sql */ `
source AS (
  UPDATE tidemark.sources SET unindexed_since_run = NULL, search_language = $4 FROM fence
  WHERE id = $3 AND NOT dirty AND unindexed_since_run IS NOT DISTINCT FROM $5::bigint
)
SELECT 1 FROM fence`
