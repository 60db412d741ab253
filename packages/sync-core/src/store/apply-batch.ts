import type { Page } from '../parse/page.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { DERIVED_TABLES } from './delete-orphans.ts'
import { type Fenced, fencedQuery } from './fenced-query.ts'

/** A page to be written: as a new one where `id` is null, else over the page that has that id. */
export interface PageWrite {
  readonly id: string | null
  readonly path: string
  /** Its path until now, where that is another. */
  readonly from?: string
  readonly blobOid: string
  readonly sizeBytes: number
  readonly page: Page
}

/** Where each batch tells its source and the number of its last change: `{"source":"docs","seq":1764201600000042}`. */
export const CHANGES_CHANNEL = 'tidemark_changes'

/** A file that cannot be stored. */
export type QuarantineWrite = Readonly<Record<'path' | 'blobOid' | 'code' | 'message', string>>

export interface Batch {
  readonly pages: readonly PageWrite[]
  readonly quarantined: readonly QuarantineWrite[]
  /** Of pages to be removed with all that was made of them. */
  readonly deletedIds: readonly string[]
  /** Paths whose quarantine is over. */
  readonly quarantineCleared: readonly string[]
}

/**
 * Writes a batch: all of it or, when the lease is another's by now, nothing; and wakes those who follow the changes.
 * @param commit what it brings the source to; null where it is removed.
 * @throws {LeaseLostError}
 */
export async function applyBatch(fenced: Fenced, sourceId: string, batch: Batch, commit: string | null): Promise<void> {
  const { pages, quarantined, deletedIds, quarantineCleared } = batch
  await fencedQuery(fenced, APPLY_BATCH, [
    sourceId,
    PARSER_VERSION,
    JSON.stringify(
      pages.map(({ page: { chunks, links, aliases, ...page }, ...file }, n) => {
        const counts = { chunkCount: chunks.length, linkCount: links.length, aliasCount: aliases.length }
        return { n, ...file, ...page, ...counts }
      }),
    ),
    JSON.stringify(pages.flatMap(({ page }, n) => page.chunks.map((chunk, ordinal) => ({ n, ordinal, ...chunk })))),
    JSON.stringify(pages.flatMap(({ page }, n) => page.links.map((link, ordinal) => ({ n, ordinal, ...link })))),
    JSON.stringify(quarantined),
    `{${deletedIds.join(',')}}`,
    JSON.stringify([...pages.map(({ path }) => path), ...quarantineCleared]),
    JSON.stringify(pages.flatMap(({ page }, n) => page.aliases.map((key, ordinal) => ({ n, ordinal, key })))),
    pages.length,
    deletedIds.length,
    commit,
  ])
}

const deleteDerivedSql = (table: string) =>
  `deleted_${table} AS (DELETE FROM tidemark.${table} USING fence WHERE source_id = $3 AND page_id = ANY ($9::bigint[]))`

const deleteSurplusSql = (table: string, count: string) => /* sql */ `
fewer_${table} AS (
  DELETE FROM tidemark.${table} USING stored
  WHERE stored.known AND source_id = $3 AND page_id = stored.id AND ordinal NOT BETWEEN 0 AND stored."${count}" - 1
)`

// The plan knows which pages are new (no id); ON CONFLICT would not, because a rename changes the path.
// Parts of one statement don't see each other's rows, so chunks and links that a page no longer has go by ordinal. One
// is unchanged when its whole row is, not a hash: any column may have been edited by hand or made by an older parser.
//
// The numbers of its changes come from the row of the source, which stays locked until all of it is committed: whoever
// is next gets higher ones, and can't be seen before.
const APPLY_BATCH = /* sql */ `
feed AS MATERIALIZED (
  UPDATE tidemark.sources SET seq = seq + $12::integer + $13::integer FROM fence WHERE id = $3 AND $12::integer + $13::integer > 0
  RETURNING seq, seq - $12::integer - $13::integer AS before, coalesce($14, target) AS commit_oid
),
page AS MATERIALIZED (
  SELECT p.*, coalesce(feed.before, 0) + p.n + 1 AS seq, feed.commit_oid
  FROM fence CROSS JOIN json_to_recordset($5::json) AS p (
    n integer, id bigint, path text, "from" text, "blobOid" text, "sizeBytes" bigint, slug text, title text, frontmatter text, content text,
    "linkKey" text, "chunkCount" integer, "linkCount" integer, "aliasCount" integer
  ) LEFT JOIN feed ON true
),
inserted AS (
  INSERT INTO tidemark.pages (
    source_id, path, blob_oid, parser_version, slug, title, frontmatter, content, size_bytes, link_key, seq, added_seq, commit_oid
  )
  SELECT $3, path, "blobOid", $4::integer, slug, title, frontmatter::jsonb, content, "sizeBytes", "linkKey", seq, seq, commit_oid
  FROM page WHERE id IS NULL
  RETURNING id, path
),
updated AS (
  UPDATE tidemark.pages SET
    path = page.path, blob_oid = page."blobOid", parser_version = $4::integer, slug = page.slug, title = page.title,
    frontmatter = page.frontmatter::jsonb, content = page.content, size_bytes = page."sizeBytes", link_key = page."linkKey",
    updated_at = now(), seq = page.seq, commit_oid = page.commit_oid
  FROM page WHERE pages.source_id = $3 AND pages.id = page.id
),
renamed AS (
  INSERT INTO tidemark.renamed_pages (source_id, seq, page_id, from_path)
  SELECT $3, seq, id, "from" FROM page WHERE id IS NOT NULL AND "from" IS NOT NULL
),
stored AS MATERIALIZED (
  SELECT page.n, coalesce(page.id, inserted.id) AS id, page.id IS NOT NULL AS known, page."chunkCount", page."linkCount", page."aliasCount"
  FROM page LEFT JOIN inserted ON page.id IS NULL AND inserted.path = page.path COLLATE "C"
),
chunks AS (
  INSERT INTO tidemark.chunks AS old (source_id, page_id, ordinal, heading_path, content, content_hash)
  SELECT $3, stored.id, c.ordinal, c."headingPath", c.content, sha256(convert_to(c.content, 'UTF8'))
  FROM stored JOIN json_to_recordset($6::json) AS c (n integer, ordinal integer, "headingPath" text[], content text)
    ON c.n = stored.n
  ON CONFLICT (source_id, page_id, ordinal) DO UPDATE
  SET heading_path = excluded.heading_path, content = excluded.content, content_hash = excluded.content_hash
  WHERE old IS DISTINCT FROM excluded
),
${deleteSurplusSql('chunks', 'chunkCount')},
links AS (
  INSERT INTO tidemark.links AS old (
    source_id, page_id, ordinal, kind, target, text, target_path, target_anchor, target_key, target_other_key
  )
  SELECT $3, stored.id, l.ordinal, l.kind, l.target, l.text, l."targetPath", l."targetAnchor", l."targetKey", l."targetOtherKey"
  FROM stored JOIN json_to_recordset($7::json) AS l (
    n integer, ordinal integer, kind text, target text, text text, "targetPath" text, "targetAnchor" text, "targetKey" text,
    "targetOtherKey" text
  ) ON l.n = stored.n
  ON CONFLICT (source_id, page_id, ordinal) DO UPDATE
  SET kind = excluded.kind, target = excluded.target, text = excluded.text, target_path = excluded.target_path,
      target_anchor = excluded.target_anchor, target_key = excluded.target_key, target_other_key = excluded.target_other_key
  WHERE old IS DISTINCT FROM excluded
),
${deleteSurplusSql('links', 'linkCount')},
aliases AS (
  INSERT INTO tidemark.aliases AS old (source_id, page_id, ordinal, link_key)
  SELECT $3, stored.id, a.ordinal, a.key
  FROM stored JOIN json_to_recordset($11::json) AS a (n integer, ordinal integer, key text) ON a.n = stored.n
  ON CONFLICT (source_id, page_id, ordinal) DO UPDATE SET link_key = excluded.link_key WHERE old IS DISTINCT FROM excluded
),
${deleteSurplusSql('aliases', 'aliasCount')},
quarantined AS (
  INSERT INTO tidemark.quarantine AS old (source_id, path, blob_oid, parser_version, code, message)
  SELECT $3, q.path, q."blobOid", $4::integer, q.code, q.message
  FROM fence, json_to_recordset($8::json) AS q (path text, "blobOid" text, code text, message text)
  ON CONFLICT (source_id, md5(path)) DO UPDATE
  SET blob_oid = excluded.blob_oid, parser_version = excluded.parser_version, code = excluded.code,
      message = excluded.message, last_seen_at = now()
),
cleared AS (
  DELETE FROM tidemark.quarantine USING fence, json_array_elements_text($10::json) AS gone (path)
  WHERE quarantine.source_id = $3 AND md5(quarantine.path) = md5(gone.path)
),
deleted AS (
  DELETE FROM tidemark.pages USING fence WHERE source_id = $3 AND id = ANY ($9::bigint[]) RETURNING id, path
),
tombstone AS (
  INSERT INTO tidemark.deleted_pages (source_id, seq, page_id, path, commit_oid)
  SELECT $3, feed.before + $12::integer + gone.place, deleted.id, deleted.path, feed.commit_oid
  FROM feed, unnest($9::bigint[]) WITH ORDINALITY AS gone (id, place) JOIN deleted ON deleted.id = gone.id
),
${DERIVED_TABLES.map(deleteDerivedSql).join(',\n')}
SELECT (SELECT pg_notify('${CHANGES_CHANNEL}', json_build_object('source', $3::text, 'seq', feed.seq)::text) FROM feed) FROM fence`
