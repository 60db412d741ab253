/** Embedding that fails leaves why, and a run what it was made with: a step that was taken since is not advised again. */
export default /* sql */ `
ALTER TABLE tidemark.sources ADD COLUMN embed_message text, ADD COLUMN embed_hint text;
COMMENT ON COLUMN tidemark.sources.embed_message IS 'Why its last embedding failed; null where it has not.';
COMMENT ON COLUMN tidemark.sources.embed_hint IS 'What to do about that.';
ALTER TABLE tidemark.runs ADD COLUMN settings text;
COMMENT ON COLUMN tidemark.runs.settings IS 'Digest of the settings of the source that it had.';
`
