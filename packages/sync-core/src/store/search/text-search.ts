/** What the words of a search must do: all be there, or as many as possible and rather the rare ones. */
export type WordMatch = 'all' | 'any'

/**
 * The CTEs `word_query` (a dictionary, and the words as a query in it, for excerpts) and `text_hits` (chunks and their
 * scores) of a search for the words $1 in the sources $2, or in all where that is null.
 */
export const textSearchSql = (match: WordMatch) => (match === 'all' ? ALL_WORDS : ANY_WORD)

const LANGUAGES = 'language AS MATERIALIZED (SELECT language FROM tidemark.search_dictionaries($2::text[]) AS language)'

/** Phrases, "or" and "-word" as Postgres reads them. */
const ALL_WORDS = /* sql */ `${LANGUAGES},
word_query AS MATERIALIZED (
  SELECT language, websearch_to_tsquery(language::regconfig, $1) AS query FROM language
),
text_hits AS (
  SELECT entry.source_id, entry.page_id, entry.ordinal, ts_rank(entry.words, word_query.query, 1) AS score
  FROM word_query JOIN tidemark.search_chunks AS entry
    ON entry.words @@ word_query.query AND entry.language = word_query.language
  WHERE $2::text[] IS NULL OR entry.source_id = ANY ($2::text[])
)`

/**
 * Postgres ranks by how often words are there, and "server" is everywhere: each counts by the square of its inverse
 * document frequency, as in Lucene's classic similarity. A word of every tenth chunk finds nothing by itself where there
 * is a rarer one, which keeps most chunks from being looked at.
 */
const ANY_WORD = /* sql */ `${LANGUAGES},
total AS MATERIALIZED (
  SELECT CASE WHEN reltuples > 0 THEN reltuples ELSE (SELECT count(*) FROM tidemark.search_chunks) END AS chunks
  FROM pg_class WHERE oid = 'tidemark.search_chunks'::regclass
),
counted AS MATERIALIZED (
  SELECT language, query,
    (SELECT count(*) FROM tidemark.search_chunks AS entry WHERE entry.words @@ query) AS found
  FROM language, unnest(to_tsvector(language::regconfig, $1)) AS given,
    LATERAL (SELECT ('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''')::tsquery AS query) AS quoted
),
word AS MATERIALIZED (
  SELECT language, query, power(ln(1 + total.chunks / found), 2) AS weight, found > total.chunks / 10 AS common
  FROM total, counted WHERE found > 0
),
word_query AS MATERIALIZED (
  SELECT language, string_agg(query::text, ' | ')::tsquery AS query,
    coalesce(string_agg(query::text, ' | ') FILTER (WHERE NOT common), string_agg(query::text, ' | '))::tsquery AS rare
  FROM word GROUP BY language
),
text_hits AS (
  SELECT entry.source_id, entry.page_id, entry.ordinal, (
    SELECT sum(word.weight * ts_rank(entry.words, word.query, 1)) FROM word WHERE word.language = entry.language
  ) AS score
  FROM word_query JOIN tidemark.search_chunks AS entry
    ON entry.words @@ word_query.rare AND entry.language = word_query.language
  WHERE $2::text[] IS NULL OR entry.source_id = ANY ($2::text[])
)`
