/**
 * The full-text index: entries in tables of their own, written after an import and not with it, because they cost as
 * much as the import itself.
 */
export default /* sql */ `
ALTER TABLE tidemark.sources
  -- The newest run whose pages the index may lack; null where it has every page. 0: it was never asked for.
  ADD COLUMN unindexed_since_run bigint DEFAULT 0,
  -- What the index was made with, as the configuration has it.
  ADD COLUMN search_language text;

-- What the entries of a page were made of; a page without this, or with another, is a difference.
CREATE TABLE tidemark.search_pages (
  source_id text NOT NULL,
  page_id   bigint NOT NULL,
  content_fingerprint   uuid NOT NULL,
  PRIMARY KEY (source_id, page_id)
);

CREATE TABLE tidemark.search_chunks (
  source_id    text NOT NULL,
  page_id      bigint NOT NULL,
  ordinal      integer NOT NULL,
  content_hash bytea NOT NULL,
  -- The name of a text search configuration; regconfig itself would keep pg_upgrade from upgrading the server.
  language     text NOT NULL,
  words        tsvector NOT NULL,
  PRIMARY KEY (source_id, page_id, ordinal)
);
-- Without a list of entries that are still to be sorted in: every search would read that to its end.
CREATE INDEX search_chunks_words ON tidemark.search_chunks USING gin (words) WITH (fastupdate = off);
-- From an embedding to the chunks that have its text.
CREATE INDEX search_chunks_content_hash ON tidemark.search_chunks (content_hash);

-- The dictionary for a language, or the one that takes words as they stand where this server has none for it.
CREATE FUNCTION tidemark.dictionary_for(language text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $function$
  SELECT coalesce((SELECT cfgname::text FROM pg_catalog.pg_ts_config WHERE cfgname = language LIMIT 1), 'simple')
$function$;

-- The dictionaries that these sources, or all, are indexed by. There are few, which a query over the table itself does
-- not tell the planner: it would read all entries rather than look words up for each.
CREATE FUNCTION tidemark.search_dictionaries(sources text[]) RETURNS SETOF text LANGUAGE plpgsql STABLE ROWS 1
AS $function$ BEGIN
  RETURN QUERY SELECT DISTINCT tidemark.dictionary_for(search_language) FROM tidemark.sources AS source
    WHERE search_language IS NOT NULL AND (search_dictionaries.sources IS NULL OR source.id = ANY (search_dictionaries.sources));
END $function$;
`
