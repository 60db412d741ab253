import type { Database } from '@tidemark/sync-core'
import { readObjects } from '../../../../../packages/sync-core/src/git/objects.ts'
import { resolveRef } from '../../../../../packages/sync-core/src/git/refs.ts'
import { listTree } from '../../../../../packages/sync-core/src/git/tree.ts'
import { parsePage } from '../../../../../packages/sync-core/src/parse/page.ts'
import { type EligibleFile, fileFilter, MAX_PAGE_BYTES } from '../../../../../packages/sync-core/src/plan/eligible.ts'

const PAGES_PER_STATEMENT = 500

const INSERT = `
WITH page AS (
  INSERT INTO tidemark.pages (
    source_id, id, path, blob_oid, parser_version, slug, title, frontmatter, content, size_bytes, link_key
  ) OVERRIDING SYSTEM VALUE
  SELECT 'bench', id, path, "blobOid", 1, slug, title, frontmatter::jsonb, content, "sizeBytes", "linkKey"
  FROM json_to_recordset($1::json) AS p (
    id bigint, path text, "blobOid" text, "sizeBytes" bigint, slug text, title text, frontmatter text, content text, "linkKey" text
  )
), chunk AS (
  INSERT INTO tidemark.chunks
  SELECT 'bench', id, ordinal, "headingPath", content, sha256(convert_to(content, 'UTF8'))
  FROM json_to_recordset($2::json) AS c (id bigint, ordinal integer, "headingPath" text[], content text)
)
INSERT INTO tidemark.links
SELECT 'bench', id, ordinal, kind, target, "targetPath", text, "targetAnchor", "targetKey", "targetOtherKey"
FROM json_to_recordset($3::json) AS l (
  id bigint, ordinal integer, kind text, target text, "targetPath" text, text text, "targetAnchor" text, "targetKey" text,
  "targetOtherKey" text
)`

/**
 * The least that an import can do: the same blobs through `git cat-file --batch`, the same parser and the same rows in
 * bulk inserts, the next batch read and parsed while one is written. No lock, no plan, no budget, no resume.
 *
 * @returns how many pages it has written.
 */
export async function importBaseline(db: Database, repo: string): Promise<number> {
  let rows = emptyRows()
  let writing: Promise<unknown> = Promise.resolve()
  let id = 0
  const flush = async () => {
    const { pages, chunks, links } = rows
    rows = emptyRows()
    await writing
    writing = db.query(INSERT, [JSON.stringify(pages), JSON.stringify(chunks), JSON.stringify(links)])
  }
  for await (const file of readPageFiles(repo)) {
    const { path, blobOid, sizeBytes } = file
    const { chunks, links, ...page } = parsePage(path, file.content)
    id++
    rows.pages.push({ id, path, blobOid, sizeBytes, ...page })
    for (const [ordinal, chunk] of chunks.entries()) rows.chunks.push({ id, ordinal, ...chunk })
    for (const [ordinal, link] of links.entries()) rows.links.push({ id, ordinal, ...link })
    if (rows.pages.length === PAGES_PER_STATEMENT) await flush()
  }
  await flush()
  await writing
  return id
}

const emptyRows = () => ({ pages: [] as object[], chunks: [] as object[], links: [] as object[] })

interface PageFile extends EligibleFile {
  readonly sizeBytes: number
  readonly content: Buffer
}

/** The files that a sync of `main` would import, read through the same `git cat-file --batch`. */
async function* readPageFiles(folder: string): AsyncGenerator<PageFile> {
  const { signal } = new AbortController()
  const filter = fileFilter({})
  const items: EligibleFile[] = []
  for await (const entries of listTree(folder, await resolveRef(folder, 'main', signal), signal)) {
    for (const entry of entries) {
      const file = filter.classify(entry)
      if (file && !('code' in file)) items.push(file)
    }
  }
  const reading = {
    type: 'blob',
    oidOf: ({ blobOid }: EligibleFile) => blobOid,
    maxBytes: MAX_PAGE_BYTES,
    signal,
  } as const
  for await (const { item, object } of readObjects(folder, items, reading)) {
    yield { ...item, sizeBytes: object.sizeBytes, content: object.content! }
  }
}
