/** What `status` and `doctor` say of a source whose commit has no file for it. */
export default /* sql */ `
-- Why no file of the bookmark is one of the source; null where some are.
ALTER TABLE tidemark.sources ADD COLUMN nothing_selected text;
`
