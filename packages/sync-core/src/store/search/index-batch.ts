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

/** A chunk of a page that the index lacks; of a page without text, its title alone. */
interface UnindexedChunk {
  readonly id: string
  readonly fingerprint: string
  readonly title: string
  readonly ordinal: number | null
  readonly heading: string | null
  readonly content: string | null
  /** Of the content, in hexadecimal. */
  readonly hash: string | null
}

/** The entries of some pages, with text prepared for `to_tsvector`. */
export interface IndexBatch {
  readonly pages: readonly {
    readonly id: string
    readonly fingerprint: string
    readonly title: string
    readonly entries: number
  }[]
  readonly entries: readonly {
    readonly id: string
    readonly ordinal: number
    readonly heading: string
    readonly content: string
    readonly hash: string | null
  }[]
}

/**
 * Reads the next pages that lack entries or whose entries are of something else: a row a chunk, in the order of pages.
 *
 * @param after pages up to this id are done.
 */
export async function readUnindexed(
  db: Database,
  { sourceId, language, paths }: Unindexed,
  after: string,
  maxPages: number,
): Promise<readonly UnindexedChunk[]> {
  const params = [sourceId, language, after, maxPages, ...(paths === null ? [] : [JSON.stringify(paths)])]
  return (await db.query<UnindexedChunk>(readUnindexedSql(paths !== null), params)).rows
}

/** @param indexText prepares text; of several batches the same, because it remembers words. */
export async function prepareEntries(
  chunks: readonly UnindexedChunk[],
  indexText: (text: string) => string,
): Promise<IndexBatch> {
  const yieldEventLoop = createYielder()
  const pages: { id: string; fingerprint: string; title: string; entries: number }[] = []
  const entries: IndexBatch['entries'][number][] = []
  for (const { id, fingerprint, title, ordinal, heading, content, hash } of chunks) {
    if (pages.at(-1)?.id !== id) pages.push({ id, fingerprint, title: indexText(title), entries: 0 })
    pages.at(-1)!.entries++
    entries.push({
      id,
      ordinal: ordinal ?? 0,
      heading: heading === title ? pages.at(-1)!.title : indexText(heading ?? ''),
      content: indexText(content ?? ''),
      hash,
    })
    await yieldEventLoop()
  }
  return { pages, entries }
}

/** @throws {LeaseLostError} */
export async function writeEntries(
  fenced: Fenced,
  { sourceId, language }: Unindexed,
  { pages, entries }: IndexBatch,
): Promise<void> {
  await fencedQuery(fenced, WRITE_ENTRIES, [sourceId, language, JSON.stringify(pages), JSON.stringify(entries)])
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
    ${byPath ? 'AND page.path IN (SELECT json_array_elements_text($5::json) COLLATE "C")' : ''}
  ORDER BY page.id LIMIT $4::integer
)
SELECT page.id, page.fingerprint, page.title, chunk.ordinal, array_to_string(chunk.heading_path, ' ') AS heading,
  chunk.content, encode(chunk.content_hash, 'hex') AS hash
FROM page LEFT JOIN LATERAL (
  SELECT * FROM tidemark.chunks AS chunk WHERE chunk.source_id = $1 AND chunk.page_id = page.id OFFSET 0
) AS chunk ON true
ORDER BY page.id, chunk.ordinal`

// A page that another run has changed or removed since it was read is left to the next one.
const WRITE_ENTRIES = /* sql */ `
setting AS MATERIALIZED (
  SELECT tidemark.dictionary_for($4) AS language, tidemark.dictionary_for($4)::regconfig AS config FROM fence
),
page AS MATERIALIZED (
  SELECT read.id, read.fingerprint, read.entries, read.title, setweight(to_tsvector(setting.config, read.title), 'A') AS title_words
  FROM setting CROSS JOIN json_to_recordset($5::json) AS read (id bigint, fingerprint uuid, title text, entries integer)
  WHERE read.fingerprint = (
    SELECT ${contentFingerprint('setting.language')} FROM tidemark.pages AS page
    WHERE page.source_id = $3 AND page.id = read.id
  )
),
entry AS (
  INSERT INTO tidemark.search_chunks AS old (source_id, page_id, ordinal, content_hash, language, words)
  SELECT $3, page.id, read.ordinal, decode(read.hash, 'hex'), setting.language,
    page.title_words
    -- As on most pages of one chunk.
    || setweight(CASE WHEN read.heading = page.title THEN page.title_words ELSE to_tsvector(setting.config, read.heading) END, 'B')
    || to_tsvector(setting.config, read.content)
  FROM setting CROSS JOIN page
  JOIN json_to_recordset($6::json) AS read (id bigint, ordinal integer, heading text, content text, hash text) USING (id)
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
