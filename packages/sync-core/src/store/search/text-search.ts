/** What the words of a search must do: all be there, or as many as possible and rather the rare ones. */
export type WordMatch = 'all' | 'any'

/** What is searched for, as `to_tsquery` takes it. */
export interface TextQuery {
  /** Of a page that has all. */
  readonly all: string
  /** Of pages that have some, each by itself. */
  readonly any: readonly string[]
}

/**
 * $1 of {@link textSearchSql}: beside the query the same of titles alone, and without what is as good as a word: `toString`
 * is "to" and "string" one after another too, and "to" is a word that no index has.
 */
export function textSearchParam({ all, any }: TextQuery): string {
  const title = all.replace(/'([^']+)'(?::(\*))?/g, "'$1':$2A")
  const exact = all.replace(/\([^()|]* \| ('[^']*')\)/g, '$1')
  return JSON.stringify({ all, any, title, exact })
}

/**
 * The CTE `text_hits`: chunks with their score, and with what their title adds to that of their page, for $1 in the
 * sources $2.
 */
export const textSearchSql = (match: WordMatch) => (match === 'all' ? ALL_WORDS : ANY_WORD)

const LANGUAGES = /* sql */ `
language AS MATERIALIZED (
  SELECT language, to_tsquery(language::regconfig, $1::json->>'title') AS title
  FROM tidemark.search_dictionaries($2::text[]) AS language
)`

// Where the title is what was searched for, the page comes before any that has it in its text, however often, and the
// shorter the title the more it is about that.
const TITLE_SCORE = /* sql */ `CASE WHEN entry.words @@ word_query.title THEN (
  SELECT 2 + 10.0 / (1 + length(page.title)) FROM tidemark.pages AS page
  WHERE page.source_id = entry.source_id AND page.id = entry.page_id
) ELSE 0 END AS title_score`

const ALL_WORDS = /* sql */ `${LANGUAGES},
word_query AS MATERIALIZED (
  SELECT language, title, to_tsquery(language::regconfig, $1::json->>'all') AS query,
    to_tsquery(language::regconfig, $1::json->>'exact') AS exact
  FROM language
),
text_hits AS (
  SELECT entry.source_id, entry.page_id, entry.ordinal, ${TITLE_SCORE},
    ts_rank(entry.words, word_query.query, 1) + (entry.words @@ word_query.exact)::integer AS score
  FROM word_query JOIN tidemark.search_chunks AS entry
    ON entry.words @@ word_query.query AND entry.language = word_query.language
  WHERE $2::text[] IS NULL OR entry.source_id = ANY ($2::text[])
)`

// Postgres ranks by how often words are there, and "server" is everywhere: each counts by the square of its inverse
// document frequency, as in Lucene's classic similarity. A word of every tenth chunk finds nothing by itself where
// there is a rarer one, which keeps most chunks from being looked at.
const ANY_WORD = /* sql */ `${LANGUAGES},
total AS MATERIALIZED (
  SELECT CASE WHEN reltuples > 0 THEN reltuples ELSE (SELECT count(*) FROM tidemark.search_chunks) END AS chunks
  FROM pg_class WHERE oid = 'tidemark.search_chunks'::regclass
),
counted AS MATERIALIZED (
  SELECT language, query, (SELECT count(*) FROM tidemark.search_chunks AS entry WHERE entry.words @@ query) AS found
  FROM (
    SELECT DISTINCT language, to_tsquery(language::regconfig, given) AS query
    FROM language, json_array_elements_text($1::json->'any') AS given
  ) AS given
),
word AS MATERIALIZED (
  SELECT language, query, power(ln(1 + total.chunks / found), 2) AS weight, found > total.chunks / 10 AS common
  FROM total, counted WHERE found > 0
),
word_query AS MATERIALIZED (
  SELECT language, title, string_agg(query::text, ' | ')::tsquery AS query,
    coalesce(string_agg(query::text, ' | ') FILTER (WHERE NOT common), string_agg(query::text, ' | '))::tsquery AS rare
  FROM word JOIN language USING (language) GROUP BY language, title
),
text_hits AS (
  SELECT entry.source_id, entry.page_id, entry.ordinal, (
    SELECT sum(word.weight * ts_rank(entry.words, word.query, 1)) FROM word WHERE word.language = entry.language
  ) AS score, ${TITLE_SCORE}
  FROM word_query JOIN tidemark.search_chunks AS entry
    ON entry.words @@ word_query.rare AND entry.language = word_query.language
  WHERE $2::text[] IS NULL OR entry.source_id = ANY ($2::text[])
)`
