/**
 * Sources, their pages and what is derived from a page. Every key begins with `source_id`: a distributed Postgres can
 * shard by it. No foreign keys: a check a row would double what it costs to write a page with its parts.
 */
export default /* sql */ `
CREATE TABLE tidemark.sources (
  id text PRIMARY KEY, repo text NOT NULL, ref text NOT NULL,
  bookmark text, -- Everything of this commit is in; null until the first sync is complete.
  target text, -- The commit that the last run worked towards.
  dirty boolean NOT NULL DEFAULT false, -- Pages may be a mixture of bookmark and target.
  rewrite_before timestamptz, -- Pages last written before it are to be written again; null where no full sync is under way.
  behind_since timestamptz, -- Since when a newer commit is known than the one that is in; null where none is.
  parser_version integer, fingerprint text, -- What the bookmark was made with.
  last_checked_at timestamptz, last_synced_at timestamptz, last_status text,
  -- The newest run whose pages the search index may lack; null where it has every page. 0: it was never built.
  unindexed_since_run bigint DEFAULT 0,
  search_language text -- What the search index was made with, as the configuration has it.
);
CREATE TABLE tidemark.pages (
  source_id text NOT NULL, id bigint NOT NULL GENERATED ALWAYS AS IDENTITY, path text COLLATE "C" NOT NULL,
  blob_oid text NOT NULL, parser_version integer NOT NULL,
  slug text NOT NULL, title text NOT NULL, frontmatter jsonb NOT NULL, content text NOT NULL,
  size_bytes bigint NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source_id, id),
  -- Checked at the end of a statement, so that one statement can swap two paths.
  CONSTRAINT pages_path UNIQUE (source_id, path) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE TABLE tidemark.chunks (
  source_id text NOT NULL, page_id bigint NOT NULL, ordinal integer NOT NULL,
  heading_path text[] NOT NULL, content text NOT NULL, content_hash bytea NOT NULL,
  PRIMARY KEY (source_id, page_id, ordinal)
);
CREATE TABLE tidemark.links (
  source_id text NOT NULL, page_id bigint NOT NULL, ordinal integer NOT NULL,
  kind text NOT NULL, target text NOT NULL, target_path text COLLATE "C",
  target_name text, -- What a wiki link calls its page: the file's name without folders and extension, in lower case.
  PRIMARY KEY (source_id, page_id, ordinal)
);
CREATE INDEX links_target_path ON tidemark.links (source_id, target_path) WHERE target_path IS NOT NULL;
CREATE INDEX links_target_name ON tidemark.links (source_id, target_name) WHERE target_name IS NOT NULL;
CREATE TABLE tidemark.quarantine (
  source_id text NOT NULL, path text COLLATE "C" NOT NULL, blob_oid text NOT NULL, parser_version integer NOT NULL,
  code text NOT NULL, message text NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(), last_seen_at timestamptz NOT NULL DEFAULT now()
);
-- A path too long to be indexed is one of the reasons to be here, hence its digest.
CREATE UNIQUE INDEX quarantine_path ON tidemark.quarantine (source_id, md5(path));
CREATE TABLE tidemark.runs (
  source_id text NOT NULL, id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz, -- Null while it runs, and for ever where it was killed.
  status text, reason text, from_commit text, to_commit text, counts jsonb,
  host text NOT NULL, pid integer NOT NULL,
  PRIMARY KEY (source_id, id)
);
-- Search entries have tables of their own, written after an import: they cost as much as the import itself.
-- What the search entries of a page were made of; a page without this, or with another, is a difference.
CREATE TABLE tidemark.search_pages (
  source_id text NOT NULL, page_id bigint NOT NULL, content_fingerprint uuid NOT NULL, PRIMARY KEY (source_id, page_id)
);
CREATE TABLE tidemark.search_chunks (
  source_id text NOT NULL, page_id bigint NOT NULL, ordinal integer NOT NULL, content_hash bytea NOT NULL,
  -- The name of a text search configuration; regconfig itself would keep pg_upgrade from upgrading the server.
  language text NOT NULL, words tsvector NOT NULL,
  PRIMARY KEY (source_id, page_id, ordinal)
);
-- Without a list of entries that are still to be sorted in: every search would read that to its end.
CREATE INDEX search_chunks_words ON tidemark.search_chunks USING gin (words) WITH (fastupdate = off);
-- From an embedding to the chunks that have its text.
CREATE INDEX search_chunks_content_hash ON tidemark.search_chunks (content_hash);
-- What is known of embeddings beside the vectors: only a server with pgvector can hold those, so embed makes their table.
-- A set of embeddings counts for search when it has been complete once.
CREATE TABLE tidemark.embedding_models (model text PRIMARY KEY, dimensions integer NOT NULL, completed_at timestamptz);
-- Who is having a text embedded: that counts for as long as the lease holds, so what a killed run claimed is free again.
CREATE TABLE tidemark.embedding_claims (
  model text NOT NULL, content_hash bytea NOT NULL, key text NOT NULL, token bigint NOT NULL,
  PRIMARY KEY (model, content_hash)
);
-- Texts that the server does not embed.
CREATE TABLE tidemark.embedding_quarantine (
  model text NOT NULL, content_hash bytea NOT NULL, message text NOT NULL,
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model, content_hash)
);
`
