import { join } from 'node:path'
import { migrate, openDatabase, syncSource } from '@tidemark/sync-core'
import { computeDigest } from '@tidemark/test-engines/contents'
import type pg from 'pg'
import type { Harness } from '../harness/harness.ts'
import type { Violation } from './invariants.ts'
import type { MovingSource } from './moving-source.ts'
import { SHORT_LEASE } from './plan-wave.ts'

/**
 * Compares what the database holds of a source with its repository.
 *
 * @param since which position the ref was at when the source was last seen finished: what it holds may be of its
 *   bookmark, of that position and of any since.
 */
export async function verifyPages(db: pg.Client, source: MovingSource, since: number) {
  const { rows } = await db.query<Stored>(STORED_SQL, [source.id])
  const { bookmark, dirty, pages, duplicates, orphans } = rows[0]!
  const violations: Violation[] = []
  const report = (invariant: Violation['invariant'], observed: string) =>
    violations.push({ invariant, source: source.id, observed })

  if (duplicates.length > 0) report('unique', `duplicate: ${duplicates.slice(0, 3)}`)
  if (orphans > 0) report('unique', `${orphans} chunks and links have no page`)
  const finished = bookmark !== null && dirty === false
  const stored = new Map(pages)
  if (bookmark !== null && !source.positions.includes(bookmark)) {
    report('complete', `the bookmark ${bookmark} was never what the ref named`)
  } else if (finished) {
    const tree = await source.tree(bookmark)
    const paths = [...new Set([...stored.keys(), ...tree.keys()])]
    const wrong = paths.filter((path) => stored.get(path) !== tree.get(path))
    if (wrong.length > 0) report('complete', `at ${bookmark} ${wrong.length} paths differ: ${wrong.slice(0, 3)}`)
  } else {
    const commits = [...(bookmark === null ? [] : [bookmark]), ...source.positions.slice(since)]
    const trees = await Promise.all(commits.map(source.tree))
    const wrong = pages.filter(([path, blob]) => !trees.some((tree) => tree.get(path) === blob))
    if (wrong.length > 0) report('mixture', `${wrong.length} pages are of no such commit: ${wrong[0]}`)
  }
  return { finished, violations }
}

interface Stored {
  readonly bookmark: string | null
  readonly dirty: boolean | null
  readonly pages: [path: string, blob: string][]
  readonly duplicates: string[]
  readonly orphans: number
}

/* One statement, so one snapshot: what a killed process has sent may still be written meanwhile. */
const STORED_SQL = /* sql */ `
SELECT bookmark, dirty,
  coalesce((SELECT json_agg(json_build_array(path, blob_oid)) FROM tidemark.pages WHERE source_id = $1), '[]') AS pages,
  coalesce((SELECT json_agg(path) FROM (
    SELECT path FROM tidemark.pages WHERE source_id = $1 GROUP BY path HAVING count(*) > 1
  ) AS each), '[]') AS duplicates,
  (SELECT count(*)::integer FROM (
    SELECT page_id FROM tidemark.chunks WHERE source_id = $1
    UNION ALL SELECT page_id FROM tidemark.links WHERE source_id = $1
  ) AS part WHERE NOT EXISTS (SELECT FROM tidemark.pages WHERE source_id = $1 AND id = page_id)) AS orphans
FROM (SELECT) AS one LEFT JOIN tidemark.sources ON id = $1`

/** Runs every source once more, undisturbed, and beside it an import from nothing; both must come to the same. */
export async function verifyRecovery(
  url: string,
  sources: readonly MovingSource[],
  home: string,
  { createDatabase, signal }: Harness,
): Promise<Violation[]> {
  const violations: Violation[] = []
  const db = await openDatabase(url, { ...SHORT_LEASE, signal })
  const fresh = await openDatabase(await createDatabase('chaos_fresh'), { signal })
  try {
    await migrate(fresh)
    for (const { id, repo, positions } of sources) {
      signal.throwIfAborted()
      const [source, head] = [{ id, repo, ref: 'main' }, positions.at(-1)]
      const result = await syncSource(db, source, { clones: join(home, 'clones'), waitMs: 10_000, signal })
      await syncSource(fresh, source, { clones: join(home, 'fresh-clones'), signal })
      if (!['first_sync', 'synced', 'up_to_date'].includes(result.status) || result.bookmark !== head) {
        violations.push({ invariant: 'recovered', source: id, observed: JSON.stringify(result) })
      }
      if ((await computeDigest(db, id)) !== (await computeDigest(fresh, id))) {
        violations.push({ invariant: 'derived', source: id, observed: `it differs at ${head}` })
      }
    }
  } finally {
    await fresh.close()
    await db.close()
  }
  return violations
}
