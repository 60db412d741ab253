import type { Database } from '../database/database.ts'
import { SyncError } from '../sync-error.ts'
import { orIfNoSchema } from './or-if-no-schema.ts'

/** A page with what it links to and what links to it. */
export interface ShownPage {
  readonly source: string
  readonly path: string
  readonly title: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  /** Markdown, without its front matter. */
  readonly content: string
  readonly blobOid: string
  readonly sizeBytes: number
  readonly updatedAt: Date
  readonly lastSyncedAt: Date | null
  /** For how long a newer commit of its source is known than the one that is in; null where none is. */
  readonly behindMs: number | null
  /** In the order of the page; `path` is null where the target is no page of the source. */
  readonly links: readonly { readonly target: string; readonly path: string | null }[]
  /** By path; the target as it stands there. */
  readonly backlinks: readonly { readonly path: string; readonly title: string; readonly target: string }[]
}

/**
 * Reads a page of a source.
 *
 * @throws {SyncError} `PAGE_NOT_FOUND` with the paths that come nearest.
 */
export async function readPage(db: Database, source: string, path: string): Promise<ShownPage> {
  const { rows } = await orIfNoSchema(db.query<ShownPage>(READ_PAGE, [source, path]), { rows: [] })
  if (rows[0]) return rows[0]
  const name = path.slice(path.lastIndexOf('/') + 1)
  const near = await orIfNoSchema(db.query<{ path: string }>(FIND_NEAR_PATHS, [source, path, name]), { rows: [] })
  const paths = near.rows.map((row) => row.path)
  throw new SyncError(
    'PAGE_NOT_FOUND',
    `"${source}" has no page ${path}`,
    paths.length > 0 ? `Did you mean ${paths.join(' or ')}?` : 'Find pages by their words: tidemark search <words>',
  )
}

const READ_PAGE = /* sql */ `
SELECT page.source_id AS source, page.path, page.title, page.frontmatter, page.content, page.blob_oid AS "blobOid",
  page.size_bytes::double precision AS "sizeBytes", page.updated_at AS "updatedAt",
  source.last_synced_at AS "lastSyncedAt",
  (extract(epoch FROM clock_timestamp() - source.behind_since) * 1000)::double precision AS "behindMs",
  (
    SELECT coalesce(json_agg(json_build_object('target', link.target, 'path', link.to_path) ORDER BY link.ordinal), '[]')
    FROM tidemark.outlinks AS link WHERE link.source_id = page.source_id AND link.page_id = page.id
  ) AS links,
  (
    SELECT coalesce(json_agg(json_build_object('path', origin.path, 'title', origin.title, 'target', link.target)
      ORDER BY origin.path), '[]')
    FROM tidemark.backlinks AS link
    JOIN tidemark.pages AS origin ON origin.source_id = link.source_id AND origin.id = link.from_page_id
    WHERE link.source_id = page.source_id AND link.page_id = page.id
  ) AS backlinks
FROM tidemark.pages AS page JOIN tidemark.sources AS source ON source.id = page.source_id
WHERE page.source_id = $1 AND page.path = $2`

/** By ending, name or beginning; the shortest first. */
const FIND_NEAR_PATHS = /* sql */ `
SELECT path FROM tidemark.pages
WHERE source_id = $1 AND (
  path IN ($2 || '.md', $2 || '.markdown', $2 || '/index.md', $2 || '/README.md')
  OR right(lower(path), length($3) + 1) = '/' || lower($3)
  OR right(lower(path), length($3) + 4) = '/' || lower($3) || '.md'
  OR lower(path) = lower($2)
)
ORDER BY length(path), path LIMIT 3`
