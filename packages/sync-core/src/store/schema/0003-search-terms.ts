/**
 * What text is indexed by has changed (`store/search/split-terms.ts`), so the entries of every page are made anew by the
 * next runs; those that there are stay until then. A page without text has an entry too, of its title.
 */
export default /* sql */ `
ALTER TABLE tidemark.search_chunks ALTER COLUMN content_hash DROP NOT NULL; -- Null where the page has no chunks.
TRUNCATE tidemark.search_pages;
UPDATE tidemark.sources SET unindexed_since_run = 0;
-- Entries are sorted in by the half megabyte, in half the time that it takes one by one. A search reads to its end the
-- list of those that are still to be: a run empties it when it is done.
ALTER INDEX tidemark.search_chunks_words SET (fastupdate = on, gin_pending_list_limit = 512);
`
