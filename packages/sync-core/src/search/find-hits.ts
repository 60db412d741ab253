import type { Database } from '../database/database.ts'
import { ifMissing } from '../store/if-missing.ts'
import { byMeaningSql } from './by-meaning.ts'
import { byWordsSql, type WordMatch } from './by-words.ts'
import type { Near } from './near-to.ts'

export interface Wanted {
  readonly words: string
  /** Null where words are not looked at. */
  readonly match: WordMatch | null
  /** Null where meaning is not looked at. */
  readonly near: Near | null
  readonly sources: readonly string[] | null
  readonly limit: number
}

export interface HitRow {
  readonly source: string
  readonly path: string
  readonly title: string
  readonly headingPath: readonly string[]
  /** With what was found between {@link MARKS}. */
  readonly excerpt: string
  readonly score: number
  readonly textRank: number | null
  readonly vectorRank: number | null
  readonly lastSyncedAt: Date | null
  readonly behindMs: number | null
}

/** Characters that no text has a meaning for. */
export const MARKS = ['\uE000', '\uE001'] as const

/** How many pages each of the two ways may bring forward to be put in one order; never fewer than are asked for. */
const CANDIDATES = 50

/**
 * The pages that fit best, in one statement. What words and meaning find is put in one order by reciprocal rank fusion,
 * which adds up 1 / (60 + place): Cormack, Clarke and Büttcher, SIGIR 2009.
 */
export async function findHits(
  db: Database,
  { words, match, near, sources, limit }: Wanted,
  signal: AbortSignal | undefined,
): Promise<HitRow[]> {
  const params = [words, sources, limit, Math.max(limit, CANDIDATES)]
  const meaning = near === null ? [] : [near.model, near.vector]
  const found = db.query<HitRow>(findHitsSql(match, near, sources !== null), [...params, ...meaning], signal)
  return (await ifMissing(found, { rows: [] })).rows
}

/** A page by its best chunk, and by half of its second best: where two are about it, the page is. */
const pagesOf = (chunks: string) => /* sql */ `
  SELECT source_id, page_id, min(ordinal) FILTER (WHERE nth = 1) AS ordinal,
    row_number() OVER (ORDER BY sum(score / nth) DESC, source_id, page_id) AS place
  FROM (
    SELECT *, row_number() OVER (PARTITION BY source_id, page_id ORDER BY score DESC, ordinal) AS nth FROM ${chunks}
  ) AS chunk
  WHERE nth <= 2 GROUP BY source_id, page_id ORDER BY place LIMIT $4`

const NONE = /* sql */ `
  SELECT NULL::text AS source_id, NULL::bigint AS page_id, NULL::integer AS ordinal, NULL::bigint AS place WHERE false`

const HEADLINE = `StartSel=${MARKS[0]}, StopSel=${MARKS[1]}, MinWords=15, MaxWords=35, ShortWord=2`

/** $1 words, $2 sources or null, $3 limit, $4 candidates, $5 model, $6 vector. */
const findHitsSql = (match: WordMatch | null, near: Near | null, someSources: boolean) => /* sql */ `
WITH ${byWordsSql(match ?? 'all')},
by_words AS (${match === null ? NONE : pagesOf('worded')}),
${near === null ? '' : `${byMeaningSql(near.space, someSources)},`}
by_meaning AS (${near === null ? NONE : pagesOf('meant')}),
found AS (
  SELECT source_id, page_id, coalesce(by_words.ordinal, by_meaning.ordinal) AS ordinal,
    by_words.place AS text_rank, by_meaning.place AS vector_rank,
    coalesce(1.0 / (60 + by_words.place), 0) + coalesce(1.0 / (60 + by_meaning.place), 0) AS score
  FROM by_words FULL JOIN by_meaning USING (source_id, page_id)
  ORDER BY score DESC, source_id, page_id LIMIT $3
)
SELECT source.id AS source, page.path, page.title, chunk.heading_path AS "headingPath",
  ts_headline(language::regconfig, chunk.content, coalesce(asked.query, ''), '${HEADLINE}') AS excerpt,
  found.score::double precision, found.text_rank::integer AS "textRank", found.vector_rank::integer AS "vectorRank",
  source.last_synced_at AS "lastSyncedAt",
  (extract(epoch FROM clock_timestamp() - source.behind_since) * 1000)::double precision AS "behindMs"
FROM found
JOIN tidemark.sources AS source ON source.id = found.source_id
JOIN tidemark.pages AS page ON page.source_id = found.source_id AND page.id = found.page_id
JOIN tidemark.chunks AS chunk
  ON chunk.source_id = found.source_id AND chunk.page_id = found.page_id AND chunk.ordinal = found.ordinal
JOIN language ON language.language = tidemark.dictionary_for(source.search_language)
LEFT JOIN asked USING (language)
ORDER BY found.score DESC, found.source_id, found.page_id`
