import type { Database } from '@tidemark/sync-core'
import { createIndexText } from '../../../../../packages/sync-core/src/store/search/index-text.ts'

const CHUNKS_PER_STATEMENT = 500

const READ = `
SELECT chunk.page_id AS id, chunk.ordinal, page.title, array_to_string(chunk.heading_path, ' ') AS heading, chunk.content,
  encode(chunk.content_hash, 'hex') AS hash
FROM tidemark.chunks AS chunk JOIN tidemark.pages AS page ON page.source_id = chunk.source_id AND page.id = chunk.page_id
WHERE chunk.source_id = 'bench' AND (chunk.page_id, chunk.ordinal) > ($1, $2)
ORDER BY chunk.source_id, chunk.page_id, chunk.ordinal LIMIT ${CHUNKS_PER_STATEMENT}`

const INSERT = `
INSERT INTO tidemark.search_chunks
SELECT 'bench', id, ordinal, decode(hash, 'hex'), 'english', setweight(to_tsvector('english', title), 'A')
  || setweight(to_tsvector('english', heading), 'B') || to_tsvector('english', content)
FROM json_to_recordset($1::json) AS c (id bigint, ordinal integer, title text, heading text, content text, hash text)`

interface Chunk {
  readonly id: string
  readonly ordinal: number
  readonly title: string
  readonly heading: string
  readonly content: string
  readonly hash: string
}

/**
 * The least that making pages searchable can do, after an import: the same text prepared in the same way, the same rows in
 * one session, the next batch read and prepared while one is written, and one list of all entries sorted in at the end. No
 * lease, no comparison, no batch that can be stopped, and no search meanwhile.
 *
 * @returns how many chunks it has written.
 */
export async function indexBaseline(db: Database): Promise<number> {
  await db.query(`ALTER INDEX tidemark.search_chunks_words SET (gin_pending_list_limit = 2097151)`)
  await db.query('ANALYZE tidemark.pages, tidemark.chunks')
  const indexText = createIndexText()
  let writing: Promise<unknown> = Promise.resolve()
  let written = 0
  for (let after = ['0', -1] as [string, number]; ; ) {
    const chunks = (await db.query<Chunk>(READ, after)).rows
    if (chunks.length === 0) break
    after = [chunks.at(-1)!.id, chunks.at(-1)!.ordinal]
    const prepared = chunks.map(({ title, heading, content, ...chunk }) => ({
      ...chunk,
      title: indexText(title),
      heading: indexText(heading),
      content: indexText(content),
    }))
    await writing
    writing = db.query(INSERT, [JSON.stringify(prepared)])
    written += chunks.length
  }
  await writing
  await db.query(`SELECT gin_clean_pending_list('tidemark.search_chunks_words')`)
  return written
}
