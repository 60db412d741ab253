import type { Database } from '../../database/database.ts'
import { createYielder } from '../../yield-event-loop.ts'
import { type Fenced, fencedQuery } from '../fenced-query.ts'
import { contentFingerprint } from './content-fingerprint.ts'

/** Which pages the index may lack. */
export interface Unindexed {
  readonly sourceId: string
  readonly language: string
  /** Null where they are not known. */
  readonly paths: readonly string[] | null
}

/**
 * Pages that the index lacks, a batch a row: as columns, because an object for each chunk would live as long as its batch,
 * and what only goes back to the database would be decoded and encoded on the way.
 */
export interface IndexBatch {
  /** The last page, and how many they are. */
  readonly last: string
  readonly pages: number
  /** Of each page, as Postgres writes an array. */
  readonly ids: string
  readonly fingerprints: string
  readonly counts: string
  /** Of each chunk, or of a page without text, which has an entry of its title. */
  readonly entryIds: string
  readonly ordinals: string
  readonly hashes: string
  /** Of each page, and of each entry: in this order, with {@link SEPARATOR} between. */
  readonly titles: string
  readonly headings: string
  readonly contents: string
}

/** ASCII's record separator, which is no part of a word. */
const SEPARATOR = '\x1E'

/**
 * Reads the next pages that lack entries or whose entries are of something else, in the order of pages; null where there
 * are no more.
 *
 * @param after pages up to this id are done.
 */
export async function readUnindexed(
  db: Database,
  { sourceId, language, paths }: Unindexed,
  after: string,
  maxPages: number,
): Promise<IndexBatch | null> {
  const params = [sourceId, language, after, maxPages, SEPARATOR, ...(paths === null ? [] : [JSON.stringify(paths)])]
  const { rows } = await db.query<IndexBatch>(readUnindexedSql(paths !== null), params)
  return rows[0] ?? null
}

/** @param indexText prepares text for `to_tsvector`; of several batches the same, because it remembers words. */
export async function prepareEntries(batch: IndexBatch, indexText: (text: string) => string): Promise<IndexBatch> {
  const yieldEventLoop = createYielder()
  const prepare = async (texts: string) => {
    const prepared = []
    for (const text of texts.split(SEPARATOR)) {
      prepared.push(indexText(text))
      await yieldEventLoop()
    }
    return prepared.join(SEPARATOR)
  }
  const [titles, headings] = [await prepare(batch.titles), await prepare(batch.headings)]
  return { ...batch, titles, headings, contents: await prepare(batch.contents) }
}

/** @throws {LeaseLostError} */
export async function writeEntries(
  fenced: Fenced,
  { sourceId, language }: Unindexed,
  batch: IndexBatch,
): Promise<void> {
  const { ids, fingerprints, counts, titles, entryIds, ordinals, hashes, headings, contents } = batch
  const pages = [ids, fingerprints, counts, titles]
  const entries = [entryIds, ordinals, hashes, headings, contents]
  await fencedQuery(fenced, WRITE_ENTRIES, [sourceId, language, SEPARATOR, ...pages, ...entries])
}

// OFFSET 0 keeps what is looked up page by page from becoming a join: that reads all of a source for each batch, which
// the planner prefers while a table that is being filled has no statistics.
const readUnindexedSql = (byPath: boolean) => /* sql */ `
WITH setting AS MATERIALIZED (SELECT tidemark.dictionary_for($2) AS language),
page AS MATERIALIZED (
  SELECT page.id, page.title, ${contentFingerprint('setting.language')} AS fingerprint
  FROM setting CROSS JOIN tidemark.pages AS page
  WHERE page.source_id = $1 AND page.id > $3::bigint AND ${contentFingerprint('setting.language')} IS DISTINCT FROM (
      SELECT known.content_fingerprint FROM tidemark.search_pages AS known
      WHERE known.source_id = page.source_id AND known.page_id = page.id
    )
    ${byPath ? 'AND page.path IN (SELECT json_array_elements_text($6::json) COLLATE "C")' : ''}
  ORDER BY page.id LIMIT $4::integer
)
SELECT count(*) FILTER (WHERE nth = 1)::integer AS pages, max(id)::text AS last,
  array_agg(id) FILTER (WHERE nth = 1)::text AS ids,
  array_agg(fingerprint) FILTER (WHERE nth = 1)::text AS fingerprints,
  array_agg(entries) FILTER (WHERE nth = 1)::text AS counts,
  string_agg(replace(title, $5, ' '), $5) FILTER (WHERE nth = 1) AS titles,
  array_agg(id)::text AS "entryIds", array_agg(ordinal)::text AS ordinals, array_agg(content_hash)::text AS hashes,
  string_agg(replace(heading, $5, ' '), $5) AS headings, string_agg(replace(content, $5, ' '), $5) AS contents
FROM (
  SELECT page.*, coalesce(chunk.ordinal, 0) AS ordinal, chunk.content_hash,
    row_number() OVER (PARTITION BY page.id ORDER BY chunk.ordinal) AS nth, count(*) OVER (PARTITION BY page.id) AS entries,
    coalesce(array_to_string(chunk.heading_path, ' '), '') AS heading, coalesce(chunk.content, '') AS content
  FROM page LEFT JOIN LATERAL (
    SELECT * FROM tidemark.chunks AS chunk WHERE chunk.source_id = $1 AND chunk.page_id = page.id OFFSET 0
  ) AS chunk ON true
  ORDER BY page.id, ordinal
) AS entry HAVING count(*) > 0`

// A page that another run has changed or removed since it was read is left to the next one.
const WRITE_ENTRIES = /* sql */ `
setting AS MATERIALIZED (
  SELECT tidemark.dictionary_for($4) AS language, tidemark.dictionary_for($4)::regconfig AS config FROM fence
),
page AS MATERIALIZED (
  SELECT read.id, read.fingerprint, read.entries, read.title, setweight(to_tsvector(setting.config, read.title), 'A') AS title_words
  FROM setting CROSS JOIN (
    SELECT id, fingerprint, entries, coalesce(title, '') AS title
    FROM unnest($6::bigint[], $7::uuid[], $8::integer[], string_to_array($9, $5)) AS read (id, fingerprint, entries, title)
  ) AS read
  WHERE read.fingerprint = (
    SELECT ${contentFingerprint('setting.language')} FROM tidemark.pages AS page
    WHERE page.source_id = $3 AND page.id = read.id
  )
),
entry AS (
  INSERT INTO tidemark.search_chunks AS old (source_id, page_id, ordinal, content_hash, language, words)
  SELECT $3, page.id, read.ordinal, read.hash, setting.language,
    page.title_words
    -- As on most pages of one chunk.
    || setweight(CASE WHEN read.heading = page.title THEN page.title_words ELSE to_tsvector(setting.config, coalesce(read.heading, '')) END, 'B')
    || to_tsvector(setting.config, coalesce(read.content, ''))
  FROM setting CROSS JOIN page
  JOIN unnest($10::bigint[], $11::integer[], $12::bytea[], string_to_array($13, $5), string_to_array($14, $5))
    AS read (id, ordinal, hash, heading, content) USING (id)
  ON CONFLICT (source_id, page_id, ordinal) DO UPDATE
  SET content_hash = excluded.content_hash, language = excluded.language, words = excluded.words
  WHERE old IS DISTINCT FROM excluded
),
fewer AS (
  DELETE FROM tidemark.search_chunks WHERE source_id = $3 AND ctid = ANY (ARRAY(
    SELECT entry.ctid FROM page CROSS JOIN LATERAL (
      SELECT entry.ctid FROM tidemark.search_chunks AS entry
      WHERE entry.source_id = $3 AND entry.page_id = page.id AND entry.ordinal NOT BETWEEN 0 AND page.entries - 1
      OFFSET 0
    ) AS entry
  ))
),
known AS (
  INSERT INTO tidemark.search_pages (source_id, page_id, content_fingerprint)
  SELECT $3, id, fingerprint FROM page
  ON CONFLICT (source_id, page_id) DO UPDATE SET content_fingerprint = excluded.content_fingerprint
)
SELECT 1 FROM fence`

/** How many pages have no entry; null where all have one, and some may be of something else. */
export async function countUnindexed(db: Database, sourceId: string): Promise<number | null> {
  const { rows } = await db.query<{ missing: number }>(COUNT_UNINDEXED, [sourceId])
  const { missing } = rows[0]!
  return missing > 0 ? missing : null
}

const COUNT_UNINDEXED = /* sql */ `
SELECT (SELECT count(*) FROM tidemark.pages WHERE source_id = $1)::integer
  - (SELECT count(*) FROM tidemark.search_pages WHERE source_id = $1)::integer AS missing`

/**
 * Has what is written from now on be found by the words of its language, unless there is an index in another already.
 * Returns the newest run whose pages the index may lack.
 */
export async function beginIndex(fenced: Fenced, { sourceId, language }: Unindexed): Promise<string | null> {
  const [{ run }] = await fencedQuery<{ run: string | null }>(fenced, BEGIN_INDEX, [sourceId, language])
  return run
}

const BEGIN_INDEX = /* sql */ `
source AS (
  UPDATE tidemark.sources SET search_language = $4 FROM fence WHERE id = $3 AND search_language IS NULL
)
SELECT (SELECT unindexed_since_run FROM tidemark.sources WHERE id = $3) AS run FROM fence`

/** Sorts in what has been written; where only the owner of the index may, the database does it by itself in time. */
export async function sortIndex(db: Database): Promise<void> {
  await db.query(`SELECT gin_clean_pending_list('tidemark.search_chunks_words')`).catch((error) => {
    if (error.code !== '42501') throw error
  })
}

/** Records that the index has every page, unless a run has begun to write others since `run` was read. */
export const finishIndex = (fenced: Fenced, { sourceId, language }: Unindexed, run: string | null) =>
  fencedQuery(fenced, FINISH_INDEX, [sourceId, language, run])

const FINISH_INDEX = /* sql */ `
source AS (
  UPDATE tidemark.sources SET unindexed_since_run = NULL, search_language = $4 FROM fence
  WHERE id = $3 AND NOT dirty AND unindexed_since_run IS NOT DISTINCT FROM $5::bigint
)
SELECT 1 FROM fence`
