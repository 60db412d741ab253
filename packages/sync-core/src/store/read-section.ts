import type { Database } from '../database/database.ts'
import { SyncError } from '../sync-error.ts'
import { anchorOf, findHeadings } from './find-headings.ts'
import { readRows } from './read-rows.ts'

/** A heading of a page with what stands under it. */
export interface ShownSection {
  /** As GitHub makes it of the heading. */
  readonly anchor: string
  /** Outermost first. */
  readonly headingPath: readonly string[]
  /** Markdown, with the headings below it. */
  readonly content: string
}

/**
 * Reads the section of a page below a heading.
 * @param heading its text or its anchor; of several with one text, the text means the first.
 * @throws {SyncError} `SECTION_NOT_FOUND` with the headings that there are.
 */
export async function readSection(db: Database, source: string, path: string, heading: string): Promise<ShownSection> {
  const chunks = await readRows<{ headingPath: string[]; content: string; page: string }>(db, READ_CHUNKS, [
    source,
    path,
  ])
  const headings = findHeadings(chunks)
  const wanted = anchorOf(heading)
  const at = headings.findIndex(({ anchor }) => anchor === wanted)
  if (at < 0) {
    const known = [...new Set(headings.map(({ headingPath }) => headingPath.at(-1)))]
    const hint = known.length === 0 ? 'It has no headings: read all of it.' : `Its headings are ${known.join(', ')}.`
    throw new SyncError('SECTION_NOT_FOUND', `${source}:${path} has no heading "${heading}"`, hint)
  }
  const { anchor, headingPath, index } = headings[at]!
  const next = headings.slice(at + 1).find((each) => each.headingPath.length <= headingPath.length)
  const before = chunks.slice(0, index).map(({ content }) => content)
  const own = chunks.slice(index, next?.index).map(({ content }) => content)
  return { anchor, headingPath, content: sliceOf(chunks[0]!.page, before, own) }
}

/**
 * The part of a page that some of its chunks are of, as it is written: between two chunks there may be anything. Those
 * before are looked for as well, as two sections may have the same words.
 */
function sliceOf(page: string, before: readonly string[], own: readonly string[]): string {
  let start = 0
  let end = 0
  for (const [i, chunk] of [...before, ...own].entries()) {
    const index = page.indexOf(chunk, end)
    // MDX is stored without what is no Markdown in it.
    if (index < 0) return own.join('\n\n')
    if (i === before.length) start = index
    end = index + chunk.length
  }
  return page.slice(start, end)
}

const READ_CHUNKS = /* sql */ `
SELECT chunk.heading_path AS "headingPath", chunk.content, page.content AS page
FROM tidemark.pages AS page
JOIN tidemark.chunks AS chunk ON chunk.source_id = page.source_id AND chunk.page_id = page.id
WHERE page.source_id = $1 AND page.path = $2 ORDER BY chunk.ordinal`
