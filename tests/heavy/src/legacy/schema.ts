/** The incumbent's tables, as far as its sync touches them. Its lock has an expiry and no sign of life. */
export const LEGACY_SCHEMA = /* sql */ `
CREATE SCHEMA legacy;
CREATE TABLE legacy.sources (id text PRIMARY KEY, folder text NOT NULL, last_commit text);
CREATE TABLE legacy.pages (
  source_id text NOT NULL, path text NOT NULL, content_hash text NOT NULL, title text, content text NOT NULL,
  PRIMARY KEY (source_id, path)
);
CREATE TABLE legacy.chunks (
  source_id text NOT NULL, path text NOT NULL, ordinal integer NOT NULL, content text NOT NULL, embedding real[],
  PRIMARY KEY (source_id, path, ordinal)
);
CREATE TABLE legacy.links (source_id text NOT NULL, path text NOT NULL, target text NOT NULL);
CREATE INDEX ON legacy.links (source_id, path);
CREATE TABLE legacy.locks (
  id text PRIMARY KEY, holder_pid integer NOT NULL, acquired_at timestamptz NOT NULL,
  ttl_expires_at timestamptz NOT NULL, last_refreshed_at timestamptz NOT NULL
)`
