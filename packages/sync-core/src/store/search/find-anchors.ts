import type { Database } from '../../database/database.ts'
import { findHeadings } from '../find-headings.ts'
import { readRows } from '../read-rows.ts'

/** A chunk that was found, in its page. */
interface Place {
  readonly source: string
  readonly path: string
  /** Null where the page has no text. */
  readonly ordinal: number | null
}

/** The anchors of the headings that chunks stand under; null where they stand under none. */
export async function findAnchors(
  db: Database,
  places: readonly Place[],
  signal: AbortSignal | undefined,
): Promise<(string | null)[]> {
  if (places.length === 0) return []
  const columns = [places.map(({ source }) => source), places.map(({ path }) => path), places.map((one) => one.ordinal)]
  const chunks = await readRows<{ place: number; headingPath: string[]; content: string }>(
    db,
    READ_CHUNKS_BEFORE,
    columns,
    signal,
  )
  const byPlace = Map.groupBy(chunks, ({ place }) => place)
  return places.map((_, i) => findHeadings(byPlace.get(i + 1) ?? []).at(-1)?.anchor ?? null)
}

// An anchor depends on the headings before it alone. What a chunk begins with is only asked where it may go on with the
// section before it.
const READ_CHUNKS_BEFORE = /* sql */ `
SELECT wanted.place::integer AS place, chunk.heading_path AS "headingPath",
  CASE WHEN chunk.heading_path = lag(chunk.heading_path) OVER (PARTITION BY wanted.place ORDER BY chunk.ordinal)
    THEN left(chunk.content, 500) ELSE '' END AS content
FROM unnest($1::text[], $2::text[], $3::integer[]) WITH ORDINALITY AS wanted (source_id, path, ordinal, place)
JOIN tidemark.pages AS page ON page.source_id = wanted.source_id AND page.path = wanted.path
JOIN tidemark.chunks AS chunk
  ON chunk.source_id = page.source_id AND chunk.page_id = page.id AND chunk.ordinal <= wanted.ordinal
ORDER BY wanted.place, chunk.ordinal`
