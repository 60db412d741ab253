import { DERIVED_TABLES } from './delete-orphans.ts'

/** Where each batch tells its source and the number of its last change: `{"source":"docs","seq":1764201600000042}`. */
export const CHANGES_CHANNEL = 'tidemark_changes'

/** What a batch has; most of them are of new pages alone. */
export interface BatchParts {
  /** Whether it writes over pages that are there. */
  readonly old: boolean
  readonly links: boolean
  readonly aliases: boolean
  readonly quarantined: boolean
  readonly deleted: boolean
}

/**
 * The statement that writes a batch behind a fence. Parts that have nothing to do are left out: they would be half of
 * what it costs.
 */
export function batchSql({ old, links, aliases, quarantined, deleted }: BatchParts): string {
  const parts = [
    [PARAMS, FEED, PAGE, INSERTED],
    old ? [UPDATED, RENAMED] : [],
    [STORED, CHUNKS(old)],
    links || old ? [LINKS(old)] : [],
    aliases || old ? [ALIASES(old)] : [],
    old ? SURPLUS : [],
    quarantined ? [QUARANTINED] : [],
    [CLEARED],
    deleted ? [DELETED, TOMBSTONE, ...DELETED_DERIVED] : [],
  ]
  return `${parts.flat().join(',\n')}\n${TELL}`
}

// Never run: it gives a type to those that no other part has.
const PARAMS = /* sql */ `
params AS (
  SELECT $3::text, $4::integer, $5::json, $6::json, $7::json, $8::json, $9::bigint[], $10::json, $11::json, $12::integer, $13::integer,
    $14::text
)`

// The numbers of its changes come from the row of the source, which stays locked until all of it is committed: whoever
// is next gets higher ones, and can't be seen before.
const FEED = /* sql */ `
feed AS MATERIALIZED (
  UPDATE tidemark.sources SET seq = seq + $12::integer + $13::integer FROM fence WHERE id = $3 AND $12::integer + $13::integer > 0
  RETURNING seq, seq - $12::integer - $13::integer AS before, coalesce($14, target) AS commit_oid
)`

const PAGE = /* sql */ `
page AS MATERIALIZED (
  SELECT p.*, coalesce(feed.before, 0) + p.n + 1 AS seq, feed.commit_oid
  FROM fence CROSS JOIN json_to_recordset($5::json) AS p (
    n integer, id bigint, path text, "from" text, "blobOid" text, "sizeBytes" bigint, slug text, title text, frontmatter text, content text,
    "linkKey" text, "chunkCount" integer, "linkCount" integer, "aliasCount" integer
  ) LEFT JOIN feed ON true
)`

// The plan knows which pages are new (no id); ON CONFLICT would not, because a rename changes the path.
const INSERTED = /* sql */ `
inserted AS (
  INSERT INTO tidemark.pages (
    source_id, path, blob_oid, parser_version, slug, title, frontmatter, content, size_bytes, link_key, seq, added_seq, commit_oid
  )
  SELECT $3, path, "blobOid", $4::integer, slug, title, frontmatter::jsonb, content, "sizeBytes", "linkKey", seq, seq, commit_oid
  FROM page WHERE id IS NULL
  RETURNING id, path
)`

const UPDATED = /* sql */ `
updated AS (
  UPDATE tidemark.pages SET
    path = page.path, blob_oid = page."blobOid", parser_version = $4::integer, slug = page.slug, title = page.title,
    frontmatter = page.frontmatter::jsonb, content = page.content, size_bytes = page."sizeBytes", link_key = page."linkKey",
    updated_at = now(), seq = page.seq, commit_oid = page.commit_oid
  FROM page WHERE pages.source_id = $3 AND pages.id = page.id
)`

const RENAMED = /* sql */ `
renamed AS (
  INSERT INTO tidemark.renamed_pages (source_id, seq, page_id, from_path)
  SELECT $3, seq, id, "from" FROM page WHERE id IS NOT NULL AND "from" IS NOT NULL
)`

const STORED = /* sql */ `
stored AS MATERIALIZED (
  SELECT page.n, coalesce(page.id, inserted.id) AS id, page.id IS NOT NULL AS known, page."chunkCount", page."linkCount",
    page."aliasCount", convert_to(page.content, 'UTF8') AS bytes
  FROM page LEFT JOIN inserted ON page.id IS NULL AND inserted.path = page.path COLLATE "C"
)`

// A row is unchanged when all of it is, not a hash: any column may have been edited by hand or made by an older parser.
const overOld = (columns: readonly string[]) => /* sql */ `
  ON CONFLICT (source_id, page_id, ordinal) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}
  WHERE old IS DISTINCT FROM excluded`

// Most chunks come as where they stand in their page, whose text would be sent twice; cut by bytes, as by characters
// each would be counted from the beginning.
const CHUNKS = (old: boolean) => /* sql */ `
chunks AS (
  INSERT INTO tidemark.chunks AS old (source_id, page_id, ordinal, heading_path, content, content_hash)
  SELECT $3, id, ordinal, "headingPath", convert_from(bytes, 'UTF8'), sha256(bytes)
  FROM (
    SELECT stored.id, c.ordinal, c."headingPath",
      CASE WHEN c.content IS NULL THEN substr(stored.bytes, c."startByte" + 1, c."sizeBytes") ELSE convert_to(c.content, 'UTF8') END AS bytes
    FROM stored JOIN json_to_recordset($6::json) AS c (
      n integer, ordinal integer, "headingPath" text[], content text, "startByte" integer, "sizeBytes" integer
    ) ON c.n = stored.n OFFSET 0
  ) AS chunk ${old ? overOld(['heading_path', 'content', 'content_hash']) : ''}
)`

const LINK_COLUMNS = ['kind', 'target', 'text', 'target_path', 'target_anchor', 'target_key', 'target_other_key']
const LINKS = (old: boolean) => /* sql */ `
links AS (
  INSERT INTO tidemark.links AS old (source_id, page_id, ordinal, ${LINK_COLUMNS.join(', ')})
  SELECT $3, stored.id, l.ordinal, l.kind, l.target, l.text, l."targetPath", l."targetAnchor", l."targetKey", l."targetOtherKey"
  FROM stored JOIN json_to_recordset($7::json) AS l (
    n integer, ordinal integer, kind text, target text, text text, "targetPath" text, "targetAnchor" text, "targetKey" text,
    "targetOtherKey" text
  ) ON l.n = stored.n ${old ? overOld(LINK_COLUMNS) : ''}
)`

const ALIASES = (old: boolean) => /* sql */ `
aliases AS (
  INSERT INTO tidemark.aliases AS old (source_id, page_id, ordinal, link_key)
  SELECT $3, stored.id, a.ordinal, a.key
  FROM stored JOIN json_to_recordset($11::json) AS a (n integer, ordinal integer, key text) ON a.n = stored.n
  ${old ? overOld(['link_key']) : ''}
)`

// Parts of one statement don't see each other's rows, so chunks and links that a page no longer has go by ordinal.
const surplusSql = (table: string, count: string) => /* sql */ `
fewer_${table} AS (
  DELETE FROM tidemark.${table} USING stored
  WHERE stored.known AND source_id = $3 AND page_id = stored.id AND ordinal NOT BETWEEN 0 AND stored."${count}" - 1
)`
const SURPLUS = [
  surplusSql('chunks', 'chunkCount'),
  surplusSql('links', 'linkCount'),
  surplusSql('aliases', 'aliasCount'),
]

const QUARANTINED = /* sql */ `
quarantined AS (
  INSERT INTO tidemark.quarantine AS old (source_id, path, blob_oid, parser_version, code, message)
  SELECT $3, q.path, q."blobOid", $4::integer, q.code, q.message
  FROM fence, json_to_recordset($8::json) AS q (path text, "blobOid" text, code text, message text)
  ON CONFLICT (source_id, md5(path)) DO UPDATE
  SET blob_oid = excluded.blob_oid, parser_version = excluded.parser_version, code = excluded.code,
      message = excluded.message, last_seen_at = now()
)`

const CLEARED = /* sql */ `
cleared AS (
  DELETE FROM tidemark.quarantine USING fence, json_array_elements_text($10::json) AS gone (path)
  WHERE quarantine.source_id = $3 AND md5(quarantine.path) = md5(gone.path)
)`

const DELETED = /* sql */ `
deleted AS (
  DELETE FROM tidemark.pages USING fence WHERE source_id = $3 AND id = ANY ($9::bigint[]) RETURNING id, path
)`

const TOMBSTONE = /* sql */ `
tombstone AS (
  INSERT INTO tidemark.deleted_pages (source_id, seq, page_id, path, commit_oid)
  SELECT $3, feed.before + $12::integer + gone.place, deleted.id, deleted.path, feed.commit_oid
  FROM feed, unnest($9::bigint[]) WITH ORDINALITY AS gone (id, place) JOIN deleted ON deleted.id = gone.id
)`

const DELETED_DERIVED = DERIVED_TABLES.map(
  (table) =>
    `deleted_${table} AS (DELETE FROM tidemark.${table} USING fence WHERE source_id = $3 AND page_id = ANY ($9::bigint[]))`,
)

const TELL = /* sql */ `SELECT (
  SELECT pg_notify('${CHANGES_CHANNEL}', json_build_object('source', $3::text, 'seq', feed.seq)::text) FROM feed
) FROM fence`
