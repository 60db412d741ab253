import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Database, removeSource, syncSource } from '@tidemark/sync-core'
import { readContents } from '@tidemark/test-engines/contents'
import type pg from 'pg'
import type { SourceWrite } from './audit.ts'
import type { Violation } from './invariants.ts'
import type { MovingSource } from './moving-source.ts'

/** Verifies what a database holds of a source, beside its repository and imports of its commits into another database. */
export type PageVerifier = ReturnType<typeof createPageVerifier>

export function createPageVerifier(source: MovingSource, reference: Database, signal: AbortSignal) {
  const { id, folder, positions, files } = source
  const imported = new Map<string, ReadonlyMap<string, string>>()
  /** From which position on the ref has been where an unfinished source may have files from. */
  let since = 0

  /** What an import from nothing makes of a commit: a digest for each path. */
  const importCommit = async (commit: string) => {
    if (!imported.has(commit)) {
      const { status } = await syncSource(reference, { id, repo: folder, ref: commit }, { search: false, signal })
      if (status !== 'first_sync') throw new Error(`the import of ${commit} from nothing is ${status}`)
      const pages = parsePages(await readContents(reference, id))
      imported.set(commit, new Map(pages.map(({ path, digest }) => [path, digest])))
      await removeSource(reference, id, signal)
    }
    return imported.get(commit)!
  }

  return {
    /** Whether the pages were the files of the commit in the moment in which a bookmark was moved to it. */
    async verifyMove({ run, bookmark, pages }: SourceWrite): Promise<Violation[]> {
      const known = bookmark !== null && positions.includes(bookmark)
      const tree = known ? Object.fromEntries(await files(bookmark)) : null
      if (isDeepStrictEqual(tree, pages)) return []
      const counts = `${Object.keys(pages ?? {}).length} pages, ${Object.keys(tree ?? {}).length} files`
      return [{ invariant: 'moved', source: id, observed: `${run} has moved it to ${bookmark}: ${counts}` }]
    },

    /** Compares all that is there now. @returns whether the source is said to be finished. */
    async verifyPages(db: pg.Client): Promise<{ finished: boolean; violations: Violation[] }> {
      // One snapshot: what a killed process has sent may still be written meanwhile.
      await db.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      const { bookmark, finished, orphans } = (await db.query<State>(STATE_SQL, [id])).rows[0]!
      const pages = parsePages(await readContents(db, id))
      await db.query('COMMIT')
      const stored = new Set(pages.map(({ path }) => path))
      const commits = finished ? [bookmark!] : [...(bookmark === null ? [] : [bookmark]), ...positions.slice(since)]
      const trees = new Map<string, ReadonlyMap<string, string>>()
      for (const commit of commits) if (positions.includes(commit)) trees.set(commit, await files(commit))
      const wrong: string[] = finished
        ? [...(trees.get(bookmark!)?.keys() ?? commits)].filter((path) => !stored.has(path))
        : []
      const altered: string[] = []
      for (const { path, blob, digest } of pages) {
        const [commit] = [...trees].find(([, tree]) => tree.get(path) === blob) ?? []
        if (commit === undefined) wrong.push(path)
        else if ((await importCommit(commit)).get(path) !== digest) altered.push(path)
      }
      // Where the ref is now may not have been begun yet.
      if (finished) since = positions.length - 1
      const found: [Violation['invariant'], number, string][] = [
        [finished ? 'complete' : 'mixture', wrong.length, `paths differ from ${commits}: ${wrong.slice(0, 3)}`],
        ['derived', altered.length, `pages have other contents: ${altered.slice(0, 3)}`],
        ['unique', pages.length - stored.size, 'pages are there twice'],
        ['unique', orphans, 'chunks and links have no page'],
      ]
      const violations = found.filter(([, count]) => count > 0)
      return {
        finished,
        violations: violations.map(([invariant, count, text]) => ({
          invariant,
          source: id,
          observed: `${count} ${text}`,
        })),
      }
    },
  }
}

/** Rows of {@link readContents}: a page, with its chunks and links. */
const parsePages = (rows: readonly any[]) =>
  rows.map(({ page, chunks, links }) => ({
    path: page.path as string,
    blob: page.blob_oid as string,
    digest: hash('md5', JSON.stringify([page, chunks, links])),
  }))

interface State {
  readonly bookmark: string | null
  readonly finished: boolean
  readonly orphans: number
}

const STATE_SQL = /* sql */ `
SELECT bookmark, coalesce(bookmark IS NOT NULL AND NOT dirty, false) AS finished,
  (SELECT count(*)::integer FROM (
    SELECT page_id FROM tidemark.chunks WHERE source_id = $1
    UNION ALL SELECT page_id FROM tidemark.links WHERE source_id = $1
  ) AS part WHERE NOT EXISTS (SELECT FROM tidemark.pages WHERE source_id = $1 AND id = page_id)) AS orphans
FROM (SELECT) AS one LEFT JOIN tidemark.sources ON id = $1`
