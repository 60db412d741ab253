import type pg from 'pg'
import type { MovingSource } from './moving-source.ts'
import type { Finding } from './violation.ts'

/**
 * Compares what the database holds of a source with its repository.
 *
 * @param since which position the ref was at when the source was last seen finished: what it holds may be of its
 *   bookmark, of that position and of any since.
 * @returns whether it is finished.
 */
export async function lookAtPages(
  db: pg.Client,
  source: MovingSource,
  since: number,
): Promise<{ finished: boolean; findings: Finding[] }> {
  const { rows } = await db.query<Held>(heldSql, [source.id])
  const { bookmark, dirty, pages, twice, strays } = rows[0]!
  const findings: Finding[] = []
  const find = (promise: Finding['promise'], seen: string) => findings.push({ promise, source: source.id, seen })

  if (twice.length > 0) find('once', `twice there: ${twice.slice(0, 3)}`)
  if (strays > 0) find('once', `${strays} chunks and links have no page`)
  const finished = bookmark !== null && dirty === false
  const held = new Map(pages)
  if (bookmark !== null && !source.positions.includes(bookmark)) {
    find('complete', `the bookmark ${bookmark} was never what the ref named`)
  } else if (finished) {
    const tree = await source.tree(bookmark)
    const wrong = [...new Set([...held.keys(), ...tree.keys()])].filter((path) => held.get(path) !== tree.get(path))
    if (wrong.length > 0) find('complete', `at ${bookmark} ${wrong.length} paths differ: ${wrong.slice(0, 3)}`)
  } else {
    const commits = [...(bookmark === null ? [] : [bookmark]), ...source.positions.slice(since)]
    const trees = await Promise.all(commits.map(source.tree))
    const wrong = pages.filter(([path, blob]) => !trees.some((tree) => tree.get(path) === blob))
    if (wrong.length > 0) find('mixture', `${wrong.length} pages are of no such commit: ${wrong[0]}`)
  }
  return { finished, findings }
}

interface Held {
  readonly bookmark: string | null
  readonly dirty: boolean | null
  readonly pages: [path: string, blob: string][]
  readonly twice: string[]
  readonly strays: number
}

/* One statement, so one snapshot: what a killed process has sent may still be written meanwhile. */
const heldSql = /* sql */ `
SELECT bookmark, dirty,
  coalesce((SELECT json_agg(json_build_array(path, blob_oid)) FROM tidemark.pages WHERE source_id = $1), '[]') AS pages,
  coalesce((SELECT json_agg(path) FROM (
    SELECT path FROM tidemark.pages WHERE source_id = $1 GROUP BY path HAVING count(*) > 1
  ) AS each), '[]') AS twice,
  (SELECT count(*)::integer FROM (
    SELECT page_id FROM tidemark.chunks WHERE source_id = $1
    UNION ALL SELECT page_id FROM tidemark.links WHERE source_id = $1
  ) AS part WHERE NOT EXISTS (SELECT FROM tidemark.pages WHERE source_id = $1 AND id = page_id)) AS strays
FROM (SELECT) AS one LEFT JOIN tidemark.sources ON id = $1`
