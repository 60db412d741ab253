import type { Database } from '../../database/database.ts'
import type { VectorSpace } from '../embeddings/vector-space.ts'
import { findHeadings } from '../find-headings.ts'
import { readRows } from '../read-rows.ts'
import { type TextQuery, textSearchParam, textSearchSql, type WordMatch } from './text-search.ts'
import { chooseVectorSearch, type VectorSearch, vectorSearchSql } from './vector-search.ts'

/** A text as a model embeds it. */
export interface QueryVector {
  readonly model: string
  /** As pgvector reads it. */
  readonly vector: string
  readonly space: VectorSpace
}

export interface SearchQuery {
  readonly text: TextQuery
  /** Null for a search by vectors alone. */
  readonly match: WordMatch | null
  /** Null for a search by words alone. */
  readonly vector: QueryVector | null
  readonly sources: readonly string[] | null
  readonly limit: number
}

/** A page that was found, by the chunk of it that fits best. */
export interface SearchHit {
  readonly source: string
  readonly path: string
  readonly title: string
  /** What the page was written from. */
  readonly commit: string | null
  /** The headings that the chunk stands under, outermost first. */
  readonly headingPath: readonly string[]
  /** Of the innermost of them, as GitHub makes it; null where there is none. */
  readonly anchor: string | null
  /** Some of the chunk, on one line; empty where the page has a title and no text. */
  readonly excerpt: string
  /** Found words in the excerpt. */
  readonly matches: readonly { readonly start: number; readonly end: number }[]
  /** What the hits are in order of; it compares hits of one search and nothing else. */
  readonly score: number
  /** Its rank by words and by meaning, from 1; null where it was not among the first of them. */
  readonly ranks: { readonly text: number | null; readonly vector: number | null }
  /** When its source was brought up to date last, and for how long a newer commit is known, by the database's clock. */
  readonly lastSyncedAt: Date | null
  readonly behindMs: number | null
}

/** A hit with the text that its excerpt is made of, and the dictionary for that. */
export type FoundChunk = Omit<SearchHit, 'excerpt' | 'matches'> & {
  readonly content: string
  readonly language: string
}

type FoundRow = Omit<FoundChunk, 'anchor'> & {
  readonly chunksUpToIt: readonly { headingPath: string[]; content: string }[]
}

/** How many pages each of the two searches contributes to the fusion, at least. */
const MIN_CANDIDATES = 50

/**
 * The pages that fit best, in one statement. Hits of both searches are put in one order by reciprocal rank fusion,
 * which adds up 1 / (60 + rank): Cormack, Clarke and Büttcher, SIGIR 2009. Where what an index finds nearest stands in
 * too few pages, all are compared.
 */
export async function findHits(db: Database, query: SearchQuery, signal?: AbortSignal): Promise<FoundChunk[]> {
  const { text, match, vector, sources, limit } = query
  const candidates = Math.max(limit, MIN_CANDIDATES)
  const find = async (search: VectorSearch | null) => {
    const params: unknown[] = [textSearchParam(text), sources, limit, candidates]
    if (vector !== null) params.push(vector.model, vector.vector)
    if (search !== null && search.nearest !== null) params.push(search.nearest)
    const rows = await readRows<FoundRow>(db, findHitsSql(match, search), params, signal)
    return rows.map(({ chunksUpToIt, ...row }) => ({
      ...row,
      anchor: findHeadings(chunksUpToIt).at(-1)?.anchor ?? null,
    }))
  }
  if (vector === null) return find(null)
  const search = chooseVectorSearch(vector.space, candidates, sources !== null)
  const found = await find(search)
  return found.length < limit && search.nearest !== null ? find({ ...search, nearest: null }) : found
}

/** A page by its title, its best chunk and half of its second best: where two are about it, the page is. */
const rankPages = (chunkHits: string) => /* sql */ `
  SELECT source_id, page_id, min(ordinal) FILTER (WHERE nth = 1) AS ordinal,
    row_number() OVER (ORDER BY max(title_score) + sum(score / nth) DESC, source_id, page_id) AS rank
  FROM (
    SELECT *, row_number() OVER (PARTITION BY source_id, page_id ORDER BY score DESC, ordinal) AS nth FROM ${chunkHits}
  ) AS chunk
  WHERE nth <= 2 GROUP BY source_id, page_id ORDER BY rank LIMIT $4`

const NONE = /* sql */ `
  SELECT NULL::text AS source_id, NULL::bigint AS page_id, NULL::integer AS ordinal, NULL::bigint AS rank WHERE false`

// An anchor depends on the headings before it alone. What a chunk begins with is only asked where it may go on with the
// section before it.
const CHUNKS_UP_TO_IT = /* sql */ `
  SELECT coalesce(json_agg(json_build_object('headingPath', heading_path, 'content', content) ORDER BY ordinal), '[]')
  FROM (
    SELECT ordinal, heading_path,
      CASE WHEN heading_path = lag(heading_path) OVER (ORDER BY ordinal) THEN left(content, 500) ELSE '' END AS content
    FROM tidemark.chunks
    WHERE source_id = found.source_id AND page_id = found.page_id AND ordinal <= found.ordinal
  ) AS chunk`

/** $1 the text query, $2 sources or null, $3 limit, $4 candidates, $5 model, $6 vector, $7 how many by an index. */
const findHitsSql = (match: WordMatch | null, search: VectorSearch | null) => /* sql */ `
WITH ${textSearchSql(match ?? 'all')},
by_text AS (${match === null ? NONE : rankPages('text_hits')}),
${search === null ? '' : `${vectorSearchSql(search)},`}
by_vector AS (${search === null ? NONE : rankPages('vector_hits')}),
found AS (
  SELECT source_id, page_id, coalesce(by_text.ordinal, by_vector.ordinal) AS ordinal,
    by_text.rank AS text_rank, by_vector.rank AS vector_rank,
    coalesce(1.0 / (60 + by_text.rank), 0) + coalesce(1.0 / (60 + by_vector.rank), 0) AS score
  FROM by_text FULL JOIN by_vector USING (source_id, page_id)
  ORDER BY score DESC, source_id, page_id LIMIT $3
)
SELECT source.id AS source, page.path, page.title, page.commit_oid AS commit, coalesce(chunk.heading_path, '{}') AS "headingPath",
  (${CHUNKS_UP_TO_IT}) AS "chunksUpToIt", coalesce(chunk.content, '') AS content, tidemark.dictionary_for(source.search_language) AS language,
  found.score::double precision, json_build_object('text', found.text_rank, 'vector', found.vector_rank) AS ranks,
  source.last_synced_at AS "lastSyncedAt",
  (extract(epoch FROM clock_timestamp() - source.behind_since) * 1000)::double precision AS "behindMs"
FROM found
JOIN tidemark.sources AS source ON source.id = found.source_id
JOIN tidemark.pages AS page ON page.source_id = found.source_id AND page.id = found.page_id
LEFT JOIN tidemark.chunks AS chunk
  ON chunk.source_id = found.source_id AND chunk.page_id = found.page_id AND chunk.ordinal = found.ordinal
ORDER BY found.score DESC, found.source_id, found.page_id`
