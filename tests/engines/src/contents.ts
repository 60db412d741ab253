interface Queryable {
  query(text: string, params: unknown[]): Promise<{ rows: any[] }>
}

/** Everything that is derived from a source's pages, in one order, without what depends on when it was made. */
export async function readContents(db: Queryable, sourceId: string): Promise<unknown[]> {
  const { rows } = await db.query(contentsSql, [sourceId])
  return rows
}

/** A digest of that, for sources too large to be compared row by row. */
export async function computeDigest(db: Queryable, sourceId: string): Promise<string> {
  const { rows } = await db.query(digestSql, [sourceId])
  return rows[0].digest
}

/** The full-text index of a source in the same way; complete once a run had the time to fill it. */
export async function readSearchEntries(db: Queryable, sourceId: string): Promise<unknown[]> {
  const { rows } = await db.query(searchEntriesSql, [sourceId])
  return rows
}

/** Whole rows, so that a column that is added is compared too. */
const rowsOfPage = (table: string) => /* sql */ `
  (SELECT jsonb_agg(to_jsonb(row) - '{source_id,page_id}'::text[] ORDER BY ordinal)
   FROM tidemark.${table} AS row WHERE row.source_id = pages.source_id AND row.page_id = pages.id) AS ${table}`

/** Rows of pages that are gone would be seen here. */
const count = (table: string) => /* sql */ `
  (SELECT count(*)::integer FROM tidemark.${table} WHERE source_id = $1) AS all_${table}`

// Nor what it was written from last: a page that has not changed since is of an older commit.
const contentsSql = /* sql */ `
SELECT to_jsonb(pages) - '{source_id,id,updated_at,seq,added_seq,commit_oid}'::text[] AS page,
  ${rowsOfPage('chunks')}, ${rowsOfPage('links')}, ${count('chunks')}, ${count('links')}
FROM tidemark.pages WHERE source_id = $1 ORDER BY path`

const digestSql = /* sql */ `
SELECT md5(coalesce(string_agg(row::text, '' ORDER BY page->>'path' COLLATE "C"), '')) AS digest
FROM (${contentsSql}) AS row`

const searchEntriesSql = /* sql */ `
SELECT path, ${rowsOfPage('search_chunks')}, ${count('search_chunks')}, ${count('search_pages')}
FROM tidemark.pages WHERE source_id = $1 ORDER BY path`
