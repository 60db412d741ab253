import { slug } from 'github-slugger'
import type { Database } from '../database/database.ts'
import { SyncError } from '../sync-error.ts'
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

/** The anchor that GitHub gives a heading; of several headings with one text it is the first one's. */
export const headingAnchor = (heading: string): string => slug(heading)

/**
 * Reads the section of a page below a heading.
 * @param heading its text or its anchor.
 * @throws {SyncError} `SECTION_NOT_FOUND` with the headings that there are.
 */
export async function readSection(db: Database, source: string, path: string, heading: string): Promise<ShownSection> {
  const chunks = await readRows<{ headingPath: string[]; content: string; page: string }>(db, READ_CHUNKS, [
    source,
    path,
  ])
  const anchor = headingAnchor(heading.replace(/^#+/, '').trim())
  const depthIn = (headings: readonly string[]) => headings.findIndex((each) => headingAnchor(each) === anchor)
  const [first] = chunks.filter(({ headingPath }) => depthIn(headingPath) >= 0)
  if (first === undefined) {
    const known = [...new Set(chunks.flatMap(({ headingPath }) => headingPath))]
    const hint = known.length === 0 ? 'It has no headings: read all of it.' : `Its headings are ${known.join(', ')}.`
    throw new SyncError('SECTION_NOT_FOUND', `${source}:${path} has no heading "${heading}"`, hint)
  }
  const headingPath = first.headingPath.slice(0, depthIn(first.headingPath) + 1)
  const isBelow = (headings: readonly string[]) => headingPath.every((each, i) => headings[i] === each)
  const below = chunks.filter((chunk) => isBelow(chunk.headingPath)).map(({ content }) => content)
  return { anchor, headingPath, content: sliceOf(first.page, below) }
}

/** The part of a page that some of its chunks are of, as it is written: between two chunks there may be anything. */
function sliceOf(page: string, chunks: readonly string[]): string {
  const start = page.indexOf(chunks[0]!)
  let end = start
  for (const chunk of chunks) {
    const index = page.indexOf(chunk, end)
    if (index < 0) return chunks.join('\n\n')
    end = index + chunk.length
  }
  return page.slice(start, end)
}

const READ_CHUNKS = /* sql */ `
SELECT chunk.heading_path AS "headingPath", chunk.content, page.content AS page
FROM tidemark.pages AS page
JOIN tidemark.chunks AS chunk ON chunk.source_id = page.source_id AND chunk.page_id = page.id
WHERE page.source_id = $1 AND page.path = $2 ORDER BY chunk.ordinal`
