/**
 * The change feed: each write of a page has a number, `seq`, that rises for its source in the order of commits. It comes
 * from the row of the source, which stays locked until the write commits, so no number appears behind one that a reader
 * has seen, and none is lost. A feed over a sequence or a clock has both faults, unless all writers take a lock for it;
 * ours pass one fence anyway.
 *
 * Numbers begin at the microsecond in which the source was first synced: one that is removed and added again goes on
 * above all numbers it ever had, and who comes with an older one is told so.
 */
export default /* sql */ `
ALTER TABLE tidemark.sources
  ADD COLUMN seq bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000000)::bigint,
  ADD COLUMN expired_seq bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000000)::bigint;
ALTER TABLE tidemark.pages ADD COLUMN seq bigint, ADD COLUMN added_seq bigint, ADD COLUMN commit_oid text;
UPDATE tidemark.pages AS page SET
  seq = source.seq + numbered.place, added_seq = source.seq + numbered.place, commit_oid = coalesce(source.bookmark, source.target)
FROM (
  SELECT source_id, id, row_number() OVER (PARTITION BY source_id ORDER BY id) AS place FROM tidemark.pages
) AS numbered JOIN tidemark.sources AS source ON source.id = numbered.source_id
WHERE page.source_id = numbered.source_id AND page.id = numbered.id;
UPDATE tidemark.sources AS source SET seq = page.newest
FROM (SELECT source_id, max(seq) AS newest FROM tidemark.pages GROUP BY source_id) AS page
WHERE page.source_id = source.id AND page.newest IS NOT NULL;
CREATE INDEX pages_seq ON tidemark.pages (source_id, seq);
CREATE TABLE tidemark.deleted_pages (
  source_id text NOT NULL, seq bigint NOT NULL, page_id bigint NOT NULL, path text COLLATE "C" NOT NULL,
  commit_oid text, deleted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source_id, seq)
);
CREATE TABLE tidemark.renamed_pages (
  source_id text NOT NULL, seq bigint NOT NULL, page_id bigint NOT NULL, from_path text COLLATE "C" NOT NULL,
  renamed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source_id, seq)
);
CREATE INDEX renamed_pages_page ON tidemark.renamed_pages (source_id, page_id, seq);
CREATE VIEW tidemark.changes AS
SELECT source_id, seq, id AS page_id, path,
  CASE WHEN seq = added_seq THEN 'add'
    WHEN EXISTS (SELECT FROM tidemark.renamed_pages AS renamed WHERE renamed.source_id = page.source_id AND renamed.seq = page.seq)
    THEN 'rename' ELSE 'update' END AS change,
  (SELECT from_path FROM tidemark.renamed_pages AS renamed
    WHERE renamed.source_id = page.source_id AND renamed.seq = page.seq) AS from_path,
  commit_oid, added_seq, updated_at AS changed_at, false AS deleted
FROM tidemark.pages AS page
UNION ALL
SELECT source_id, seq, page_id, path, 'delete', NULL, commit_oid, NULL, deleted_at, true FROM tidemark.deleted_pages;
COMMENT ON COLUMN tidemark.sources.seq IS 'Number of its newest change.';
COMMENT ON COLUMN tidemark.sources.expired_seq IS 'Number of the newest change that may be forgotten: who has seen less has to begin anew.';
COMMENT ON COLUMN tidemark.pages.seq IS 'Number of the change that wrote the row; rises for its source in the order of commits.';
COMMENT ON COLUMN tidemark.pages.added_seq IS 'Number of the change that made the page.';
COMMENT ON COLUMN tidemark.pages.commit_oid IS 'Commit that the page was written from.';
COMMENT ON TABLE tidemark.deleted_pages IS 'The pages that are gone, for those who follow changes; for some weeks.';
COMMENT ON COLUMN tidemark.deleted_pages.source_id IS 'Id of the source, as in tidemark.yaml.';
COMMENT ON COLUMN tidemark.deleted_pages.seq IS 'Number of the change that deleted it.';
COMMENT ON COLUMN tidemark.deleted_pages.page_id IS 'What its id was.';
COMMENT ON COLUMN tidemark.deleted_pages.path IS 'Its last path.';
COMMENT ON COLUMN tidemark.deleted_pages.commit_oid IS 'Commit that lacks it.';
COMMENT ON COLUMN tidemark.deleted_pages.deleted_at IS 'When it was deleted.';
COMMENT ON TABLE tidemark.renamed_pages IS 'The paths that pages had before, for those who follow changes; for some weeks.';
COMMENT ON COLUMN tidemark.renamed_pages.source_id IS 'Id of the source, as in tidemark.yaml.';
COMMENT ON COLUMN tidemark.renamed_pages.seq IS 'Number of the change that renamed it.';
COMMENT ON COLUMN tidemark.renamed_pages.page_id IS 'Id of the page in tidemark.pages.';
COMMENT ON COLUMN tidemark.renamed_pages.from_path IS 'Its path until then.';
COMMENT ON COLUMN tidemark.renamed_pages.renamed_at IS 'When it was renamed.';
COMMENT ON VIEW tidemark.changes IS 'View: the last change of each page and the pages that are gone; ORDER BY seq, and go on after the last that you have seen.';
`
