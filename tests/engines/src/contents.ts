interface Queryable {
  query(text: string, params: unknown[]): Promise<{ rows: any[] }>
}

/** Everything that is derived from a source's pages, in one order, without what depends on when it was made. */
export async function contentsOf(db: Queryable, sourceId: string): Promise<unknown[]> {
  const { rows } = await db.query(contentsSql, [sourceId])
  return rows
}

/** A digest of that, for sources too large to be compared row by row. */
export async function digestOf(db: Queryable, sourceId: string): Promise<string> {
  const { rows } = await db.query(digestSql, [sourceId])
  return rows[0].digest
}

const contentsSql = /* sql */ `
SELECT path, blob_oid, slug, title, frontmatter, content, size_bytes,
  (SELECT json_agg(json_build_array(ordinal, heading_path, content, content_hash::text) ORDER BY ordinal)
   FROM tidemark.chunks WHERE chunks.source_id = pages.source_id AND page_id = pages.id) AS chunks,
  (SELECT json_agg(json_build_array(ordinal, kind, target, target_path) ORDER BY ordinal)
   FROM tidemark.links WHERE links.source_id = pages.source_id AND page_id = pages.id) AS links,
  -- Those of pages that are gone would be seen here.
  (SELECT count(*)::integer FROM tidemark.chunks WHERE source_id = $1) AS all_chunks,
  (SELECT count(*)::integer FROM tidemark.links WHERE source_id = $1) AS all_links
FROM tidemark.pages WHERE source_id = $1 ORDER BY path`

const digestSql = /* sql */ `
SELECT md5(coalesce(string_agg(row::text, '' ORDER BY path COLLATE "C"), '')) AS digest FROM (${contentsSql}) AS row`
