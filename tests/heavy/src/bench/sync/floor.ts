import type { Database } from '@tidemark/sync-core'
import { parsePage } from '../../../../../packages/sync-core/src/parse/page.ts'
import { pagesOf } from '../pages-of.ts'

const PAGES_PER_STATEMENT = 500

/**
 * What cannot be saved: the same blobs through `git cat-file --batch`, the same parser and the same rows in bulk
 * inserts, the next batch read and parsed while one is written. No lock, no plan, no budget, no resume.
 */
export async function floor(db: Database, repo: string): Promise<number> {
  let rows: Rows = { pages: [], chunks: [], links: [] }
  let writing: Promise<unknown> = Promise.resolve()
  let id = 0
  const flush = async () => {
    const { pages, chunks, links } = rows
    rows = { pages: [], chunks: [], links: [] }
    await writing
    writing = db.query(SQL, [JSON.stringify(pages), JSON.stringify(chunks), JSON.stringify(links)])
  }
  for await (const { path, blobOid, sizeBytes, content } of pagesOf(repo)) {
    const { chunks, links, ...page } = parsePage(path, content)
    id++
    rows.pages.push({ id, path, blob: blobOid, size: sizeBytes, ...page })
    for (const [ordinal, chunk] of chunks.entries()) rows.chunks.push({ id, ordinal, ...chunk })
    for (const [ordinal, link] of links.entries()) rows.links.push({ id, ordinal, ...link })
    if (rows.pages.length === PAGES_PER_STATEMENT) await flush()
  }
  await flush()
  await writing
  return id
}

interface Rows {
  readonly pages: object[]
  readonly chunks: object[]
  readonly links: object[]
}

const SQL = `
WITH page AS (
  INSERT INTO tidemark.pages (source_id, id, path, blob_oid, parser_version, slug, title, frontmatter, content, size_bytes)
  OVERRIDING SYSTEM VALUE
  SELECT 'bench', id, path, blob, 1, slug, title, frontmatter, content, size
  FROM json_to_recordset($1::json) AS p (id bigint, path text, blob text, size bigint, slug text, title text, frontmatter jsonb, content text)
), chunk AS (
  INSERT INTO tidemark.chunks
  SELECT 'bench', id, ordinal, "headingPath", content, sha256(convert_to(content, 'UTF8'))
  FROM json_to_recordset($2::json) AS c (id bigint, ordinal integer, "headingPath" text[], content text)
)
INSERT INTO tidemark.links
SELECT 'bench', id, ordinal, kind, target, "targetPath"
FROM json_to_recordset($3::json) AS l (id bigint, ordinal integer, kind text, target text, "targetPath" text)`
