import type { VectorSpace } from '../embeddings/vector-space.ts'

/**
 * The CTE `vector_hits`: the chunks nearest to $6 of the model $5. Of all sources they come by the index, made
 * for this very expression; of some one by one, because among the nearest of all there may be few of them, or none.
 */
export function vectorSearchSql(space: VectorSpace, someSources: boolean): string {
  const distance = `${space.cast('embedding.embedding')} ${space.operator} ${space.cast('$6')}`
  const from = someSources
    ? `FROM tidemark.search_chunks AS entry
    JOIN tidemark.embeddings AS embedding ON embedding.model = $5 AND embedding.content_hash = entry.content_hash
    WHERE entry.source_id = ANY ($2::text[])`
    : 'FROM tidemark.embeddings AS embedding WHERE embedding.model = $5'
  return /* sql */ `nearest AS MATERIALIZED (
  SELECT embedding.content_hash, ${distance} AS distance ${from} ORDER BY ${distance} LIMIT $4 * 2
),
vector_hits AS (
  SELECT entry.source_id, entry.page_id, entry.ordinal, 1 - nearest.distance AS score, 0 AS title_score
  FROM (SELECT DISTINCT content_hash, distance FROM nearest) AS nearest
  JOIN tidemark.search_chunks AS entry ON entry.content_hash = nearest.content_hash
  WHERE $2::text[] IS NULL OR entry.source_id = ANY ($2::text[])
)`
}
