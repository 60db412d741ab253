import type { Database } from '../database/database.ts'
import { SyncError } from '../sync-error.ts'
import { readRows } from './read-rows.ts'

/** A page with what it links to and what links to it. */
export interface ShownPage {
  readonly source: string
  readonly path: string
  readonly title: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  /** Markdown, without its front matter. */
  readonly content: string
  readonly blobOid: string
  /** What it was written from. */
  readonly commit: string | null
  readonly sizeBytes: number
  readonly updatedAt: Date
  readonly lastSyncedAt: Date | null
  /** For how long a newer commit of its source is known than the one that is in; null where none is. */
  readonly behindMs: number | null
  /** In the order of the page. */
  readonly links: readonly ShownLink[]
  /** By path; the target as it stands there. */
  readonly backlinks: readonly { readonly path: string; readonly title: string; readonly target: string }[]
}

export interface ShownLink {
  readonly target: string
  /** Null where it is no page of the source. */
  readonly path: string | null
  /** A section of that page, by its heading or id. */
  readonly anchor: string | null
  /** A file of the repository, or a folder with a slash at its end, that is no page. */
  readonly file: string | null
}

/** Reads a page of a source. @throws {SyncError} `PAGE_NOT_FOUND` with the paths that come nearest. */
export async function readPage(db: Database, source: string, path: string): Promise<ShownPage> {
  const [page] = await readRows<ShownPage>(db, READ_PAGE, [source, path])
  if (page) return page
  const name = path.slice(path.lastIndexOf('/') + 1)
  const near = (await readRows(db, FIND_NEAR_PATHS, [source, path, name])).map((row) => row.path).join(' or ')
  const hint = near ? `Did you mean ${near}?` : 'Find pages by their words: tidemark search <words>'
  throw new SyncError('PAGE_NOT_FOUND', `"${source}" has no page ${path}`, hint)
}

const READ_PAGE = /* sql */ `
SELECT page.source_id AS source, page.path, page.title, page.frontmatter, page.content, page.blob_oid AS "blobOid", page.commit_oid AS commit,
  page.size_bytes::double precision AS "sizeBytes", page.updated_at AS "updatedAt", source.last_synced_at AS "lastSyncedAt",
  (extract(epoch FROM clock_timestamp() - source.behind_since) * 1000)::double precision AS "behindMs",
  (
    SELECT coalesce(json_agg(json_build_object('target', link.target, 'path', link.to_path,
      'anchor', link.target_anchor, 'file', link.to_file) ORDER BY link.ordinal), '[]')
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
  OR right(lower(path), length($3) + 1) = '/' || lower($3) OR lower(path) = lower($2)
  OR right(lower(path), length($3) + 4) = '/' || lower($3) || '.md'
)
ORDER BY length(path), path LIMIT 3`
