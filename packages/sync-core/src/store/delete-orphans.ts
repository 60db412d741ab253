import { type Fenced, fencedQuery } from './fenced-query.ts'

/** What is derived of a page, and would stay for ever where the page itself was removed by hand. */
export const DERIVED_TABLES = ['chunks', 'links', 'aliases', 'search_chunks', 'search_pages']

/** Some hundredths of a second for each statement. */
const ROWS_PER_STATEMENT = 5_000

/** Deletes what was derived of pages that the source lacks: no batch names them. @throws {LeaseLostError} */
export async function deleteOrphans(fenced: Fenced, sourceId: string, onStep: () => void): Promise<void> {
  for (const table of DERIVED_TABLES) {
    // Without statistics, which PGlite never gets by itself, each statement would sort all rows that are left.
    await fenced.db.query(`ANALYZE tidemark.${table} (source_id, page_id)`)
    for (let after: string | null = MIN_BIGINT; after !== null; ) {
      const params: unknown[] = [sourceId, after, ROWS_PER_STATEMENT]
      const [visited] = await fencedQuery<{ last: string | null }>(fenced, deleteOrphansSql(table), params)
      after = visited.last
      onStep()
    }
  }
}

const MIN_BIGINT = String(-(2n ** 63n))

// Goes by page ids, so that no statement takes long; WITH TIES leaves no page half done. OFFSET 0 and the ctid keep it
// from becoming a join, which would read all pages, or all rows of the table, each time.
const deleteOrphansSql = (table: string) => /* sql */ `
visited AS MATERIALIZED (
  SELECT derived.ctid AS row_id, derived.page_id FROM fence, tidemark.${table} AS derived
  WHERE derived.source_id = $3 AND derived.page_id > $4::bigint
  ORDER BY derived.page_id FETCH FIRST ($5::integer) ROWS WITH TIES
),
deleted AS (
  DELETE FROM tidemark.${table} WHERE source_id = $3 AND ctid = ANY (ARRAY(
    SELECT row_id FROM visited
    WHERE NOT EXISTS (SELECT FROM tidemark.pages WHERE pages.source_id = $3 AND pages.id = visited.page_id OFFSET 0)
  ))
)
SELECT max(visited.page_id) AS last FROM fence LEFT JOIN visited ON true HAVING count(*) > 0`
