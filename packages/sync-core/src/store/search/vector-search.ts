import type { VectorSpace } from '../embeddings/vector-space.ts'

/** As many as pgvector lets an index look for (`hnsw.ef_search`). */
const MAX_NEAREST = 1_000
/** A page has several chunks, and a text that is nowhere any more counts until it is collected. */
const NEAREST_PER_PAGE = 4

/** How the chunks nearest to a vector are found. */
export interface VectorSearch {
  readonly space: VectorSpace
  /** How many an index is asked for; null where all are compared one by one, which finds as many as there are. */
  readonly nearest: number | null
}

/**
 * By the index where there may be one, for a search in all sources; of some sources one by one, because among the
 * nearest of all there may be few of theirs, or none.
 */
export function chooseVectorSearch(space: VectorSpace, pages: number, someSources: boolean): VectorSearch {
  const indexed = 'operatorClass' in space.index && !someSources
  return { space, nearest: indexed ? Math.min(pages * NEAREST_PER_PAGE, MAX_NEAREST) : null }
}

/** The CTE `vector_hits`: the chunks nearest to $6 of the model $5, $7 of them where they come by the index. */
export const vectorSearchSql = ({ space, nearest }: VectorSearch) =>
  nearest === null ? oneByOneSql(space) : byIndexSql(space)

// Without the cast that the index is made for, so that it is never used here: it ends before all are seen.
const oneByOneSql = ({ operator, type }: VectorSpace) => /* sql */ `
vector_hits AS (
  SELECT entry.source_id, entry.page_id, entry.ordinal,
    1 - (embedding.embedding ${operator} $6::${type}) AS score, 0 AS title_score
  FROM tidemark.search_chunks AS entry
  JOIN tidemark.embeddings AS embedding ON embedding.model = $5 AND embedding.content_hash = entry.content_hash
  WHERE $2::text[] IS NULL OR entry.source_id = ANY ($2::text[])
)`

// An index finds 40 by default, whatever the limit. The setting ends with the statement, and being an uncorrelated
// condition it is made before the first row is looked for.
function byIndexSql(space: VectorSpace): string {
  const distance = `${space.cast('embedding.embedding')} ${space.operator} ${space.cast('$6')}`
  return /* sql */ `nearest AS MATERIALIZED (
  SELECT embedding.content_hash, ${distance} AS distance FROM tidemark.embeddings AS embedding
  WHERE embedding.model = $5 AND (SELECT set_config('hnsw.ef_search', $7::integer::text, true)) IS NOT NULL
  ORDER BY ${distance} LIMIT $7::integer
),
vector_hits AS (
  SELECT entry.source_id, entry.page_id, entry.ordinal, 1 - nearest.distance AS score, 0 AS title_score
  FROM nearest JOIN tidemark.search_chunks AS entry ON entry.content_hash = nearest.content_hash
)`
}
