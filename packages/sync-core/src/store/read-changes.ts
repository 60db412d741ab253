import type { Database } from '../database/database.ts'
import { SyncError } from '../sync-error.ts'
import { readRows } from './read-rows.ts'

/** The newest change of a page since a cursor. */
export interface Change {
  /** Rises for its source in the order of commits. */
  readonly seq: number
  /** `update` may be of a page that is new to the reader, where it was changed while the reader was on its way. */
  readonly change: 'add' | 'update' | 'rename' | 'delete'
  /** Stays the same when the file is renamed, and is never given to another page. */
  readonly pageId: string
  /** Of one that is deleted: as it was at the cursor. */
  readonly path: string
  /** Of a rename: the path at the cursor. */
  readonly from?: string
  /** What the page was written from, or the commit that lacks it; null where its source is being removed. */
  readonly commit: string | null
  /** Only on demand, and never of one that is deleted. */
  readonly page?: ChangedPage
}

/** What a page holds now. */
export interface ChangedPage {
  readonly title: string
  readonly frontmatter: Readonly<Record<string, unknown>>
  /** Markdown, without its front matter. */
  readonly content: string
  readonly blobOid: string
  /** In the order of the page. */
  readonly chunks: readonly { readonly headingPath: readonly string[]; readonly content: string }[]
  /** In the order of the page; `path` is null where it means no page of the source. */
  readonly links: readonly { readonly target: string; readonly path: string | null }[]
}

/** A part of the feed of a source. */
export interface ChangeList {
  /** In the order of `seq`; none where the reader has seen all. */
  readonly changes: readonly Change[]
  /** What to go on after. */
  readonly cursor: string
}

export interface ReadChangesOptions {
  /** The cursor of the last list; '0', the default, begins at the beginning. */
  readonly after?: string | undefined
  /** How many at most, one at the least; 1,000 by default. */
  readonly limit?: number | undefined
  /** Whether each change comes with what its page holds. */
  readonly content?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const DEFAULT_LIMIT = 1_000

/**
 * Reads what has changed in a source since a cursor: each page once, as it is now. One statement, so the list and its
 * cursor are of one moment. Read on until a list is empty; then what was read is equal to the mirror.
 *
 * ```ts
 * const { changes, cursor } = await readChanges(db, 'docs', { after: await loadCursor() })
 * for (const { change, pageId } of changes) await (change === 'delete' ? index.remove(pageId) : index.put(pageId))
 * await saveCursor(cursor)
 * ```
 * What was read and not yet kept by its cursor comes again: hold pages by their `pageId`, and writing one twice is as once.
 *
 * @throws {SyncError} `CURSOR_EXPIRED` where some of what was deleted since is forgotten, or the source was removed or
 *   renamed: read all anew, from '0'. `BAD_CURSOR` where it is none. Or the signal's reason.
 */
export async function readChanges(
  db: Database,
  source: string,
  { after = '0', limit = DEFAULT_LIMIT, content = false, signal }: ReadChangesOptions = {},
): Promise<ChangeList> {
  const { seq, base } = parseCursor(after)
  const max = Math.max(1, Math.trunc(limit))
  const rows = await readRows<Row>(db, readChangesSql(content), [source, seq, max], signal)
  const [state] = rows
  const [newest, expired] = [Number(state?.newestSeq ?? 0), Number(state?.expiredSeq ?? 0)]
  if (seq > 0 && (base < expired || base > newest)) {
    const message = `the cursor ${after} of "${source}" has expired: what was deleted since is not known any more`
    const hint = 'Begin anew: read all changes after 0, and drop every page that is not among them.'
    throw new SyncError('CURSOR_EXPIRED', message, hint)
  }
  const changes = rows.filter((row): row is ChangeRow => row.seq !== null).map(toChange)
  // A list that is not full goes to the end.
  const last = changes.length === max ? changes.at(-1)!.seq : newest
  return { changes, cursor: formatCursor(last, seq === 0 ? newest : base) }
}

/**
 * A cursor is the number of the last change that was read. Who begins with nothing misses nothing of what was deleted
 * before, so until it has come to the number that was the newest then, its base, it also has that, and only what was
 * deleted after it counts.
 */
function parseCursor(cursor: string): { seq: number; base: number } {
  const [, seq, base = seq] = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(cursor) ?? []
  if (seq !== undefined) return { seq: Number(seq), base: Number(base) }
  throw new SyncError('BAD_CURSOR', `"${cursor}" is not a cursor`, 'Give one that a list came with, or 0.')
}

const formatCursor = (seq: number, base: number) => (seq < base ? `${seq}-${base}` : String(seq))

interface SourceState {
  readonly newestSeq: string
  readonly expiredSeq: string
}

interface ChangeRow extends SourceState, Omit<Change, 'seq' | 'from' | 'page'> {
  readonly seq: string
  readonly from: string | null
  readonly page?: ChangedPage | null
}

type Row = ChangeRow | (SourceState & { readonly seq: null })

function toChange({ seq, change, pageId, path, from, commit, page }: ChangeRow): Change {
  return { seq: Number(seq), change, pageId, path, ...(from !== null && { from }), commit, ...(page && { page }) }
}

const PAGE = /* sql */ `(
  SELECT json_build_object(
    'title', page.title, 'frontmatter', page.frontmatter, 'content', page.content, 'blobOid', page.blob_oid,
    'chunks', (
      SELECT coalesce(json_agg(json_build_object('headingPath', heading_path, 'content', content) ORDER BY ordinal), '[]')
      FROM tidemark.chunks AS chunk WHERE chunk.source_id = page.source_id AND chunk.page_id = page.id
    ),
    'links', (
      SELECT coalesce(json_agg(json_build_object('target', target, 'path', to_path) ORDER BY ordinal), '[]')
      FROM tidemark.outlinks AS link WHERE link.source_id = page.source_id AND link.page_id = page.id
    )
  )
  FROM tidemark.pages AS page WHERE page.source_id = $1 AND page.id = entry.page_id AND NOT entry.deleted
)`

// Two lists in the order of their indexes are merged, as far as the limit. What was added and deleted since is told too: a
// reader may have had it and been killed before it kept the cursor. A page's path at the cursor is where the first rename
// since set out from.
const readChangesSql = (content: boolean) => /* sql */ `
WITH entry AS MATERIALIZED (
  SELECT seq, page_id, path, commit_oid, added_seq, deleted FROM tidemark.changes
  WHERE source_id = $1 AND seq > $2::bigint
  ORDER BY seq LIMIT $3::integer
),
known AS (
  SELECT entry.*, added_seq > $2::bigint AS added, (
    SELECT from_path FROM tidemark.renamed_pages AS renamed
    WHERE renamed.source_id = $1 AND renamed.page_id = entry.page_id AND renamed.seq > $2::bigint
    ORDER BY renamed.seq LIMIT 1
  ) AS from_path
  FROM entry
)
SELECT source.seq AS "newestSeq", source.expired_seq AS "expiredSeq", entry.seq, entry.page_id AS "pageId",
  CASE WHEN deleted THEN 'delete' WHEN added THEN 'add' WHEN from_path <> path THEN 'rename' ELSE 'update' END AS change,
  CASE WHEN deleted THEN coalesce(from_path, path) ELSE path END AS path,
  CASE WHEN NOT deleted AND NOT added AND from_path <> path THEN from_path END AS "from",
  entry.commit_oid AS commit${content ? `, ${PAGE} AS page` : ''}
FROM tidemark.sources AS source LEFT JOIN known AS entry ON true
WHERE source.id = $1 ORDER BY entry.seq`
