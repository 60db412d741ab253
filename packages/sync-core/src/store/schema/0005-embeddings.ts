/**
 * What is known of embeddings beside the vectors. Those are in a table that `embed` makes, because only a server with
 * pgvector can hold it.
 */
export default /* sql */ `
-- A set of embeddings. It counts for search when it has been complete once.
CREATE TABLE tidemark.embedding_models (
  model        text PRIMARY KEY,
  dimensions   integer NOT NULL,
  completed_at timestamptz
);

-- Who is having a text embedded: that counts for as long as the lease holds, so what a killed run claimed is free again.
CREATE TABLE tidemark.embedding_claims (
  model        text NOT NULL,
  content_hash bytea NOT NULL,
  key          text NOT NULL,
  token        bigint NOT NULL,
  PRIMARY KEY (model, content_hash)
);

-- Texts that the server does not embed.
CREATE TABLE tidemark.embedding_quarantine (
  model        text NOT NULL,
  content_hash bytea NOT NULL,
  message      text NOT NULL,
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model, content_hash)
);
`
