import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type Database, removeSource, syncSource } from '@tidemark/sync-core'
import { readContents } from '@tidemark/test-engines/contents'
import type pg from 'pg'
import { sum } from '../harness/statistics.ts'
import type { Note } from './audit.ts'
import type { Violation } from './invariants.ts'
import type { MovingSource } from './moving-source.ts'

/** Compares what a database holds of a source with its repository, and with imports of its commits from nothing. */
export function createPageVerifier(source: MovingSource, reference: Database, signal: AbortSignal) {
  const { id, folder, positions, files } = source
  const imported = new Map<string, ReadonlyMap<string, string>>()
  /** Of which position on an unfinished source may have files. */
  let since = 0

  /** What an import from nothing makes of a commit, `path → digest`. */
  const importCommit = async (commit: string) => {
    const known = imported.get(commit)
    if (known) return known
    await syncSource(reference, { id, repo: folder, ref: commit }, { search: false, signal })
    signal.throwIfAborted()
    const { pages } = parseContents(await readContents(reference, id))
    await removeSource(reference, id, signal)
    const digests = new Map(pages.map(({ path, digest }) => [path, digest]))
    imported.set(commit, digests)
    return digests
  }

  return {
    /** Whether the pages were the files of the commit when a bookmark was moved to it. */
    async verifyMove({ run, key, bookmark, pages }: Note): Promise<Violation[]> {
      const tree = positions.includes(bookmark!) ? Object.fromEntries(await files(bookmark!)) : undefined
      return isDeepStrictEqual(tree, pages) ? [] : [['moved', `${run} has moved the bookmark of ${key} to ${bookmark}`]]
    },

    /** Compares all that is there now. */
    async verifyPages(db: pg.Client): Promise<{ finished: boolean; violations: Violation[] }> {
      // One snapshot: what a killed process has sent may still be written meanwhile.
      await db.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      const { bookmark, finished } = (await db.query(STATE_SQL, [id])).rows[0] ?? { bookmark: null, finished: false }
      const { pages, orphans } = parseContents(await readContents(db, id))
      await db.query('COMMIT')
      const commits = positions.filter((commit, n) => commit === bookmark || (!finished && n >= since))
      const trees = await Promise.all(commits.map(async (commit) => ({ commit, tree: await files(commit) })))
      const stored = new Set(pages.map(({ path }) => path))
      const lacking = finished ? [...(trees[0]?.tree.keys() ?? [bookmark])].filter((path) => !stored.has(path)) : []
      const strange: string[] = []
      const altered: string[] = []
      for (const { path, blob, digest } of pages) {
        const origin = trees.find(({ tree }) => tree.get(path) === blob)
        if (!origin) strange.push(path)
        else if ((await importCommit(origin.commit)).get(path) !== digest) altered.push(path)
      }
      // Where the ref is now may not have been begun yet.
      if (finished) since = positions.length - 1
      const found: [Violation[0], number, string][] = [
        ['complete', lacking.length, `files of ${bookmark} are not there: ${lacking.slice(0, 3)}`],
        [finished ? 'complete' : 'mixture', strange.length, `pages are of no such commit: ${strange.slice(0, 3)}`],
        ['derived', altered.length, `pages have other contents: ${altered.slice(0, 3)}`],
        ['unique', pages.length - stored.size, 'pages are there twice'],
        ['unique', orphans, 'chunks and links have no page'],
      ]
      const wrong = found.filter(([, count]) => count > 0)
      return { finished, violations: wrong.map(([name, count, text]) => [name, `${id}: ${count} ${text}`]) }
    },
  }
}

/** Rows of {@link readContents}, each a page with its chunks and links, and how many of those there are in all. */
function parseContents(rows: readonly any[]) {
  const pages = rows.map(({ page, chunks, links }) => ({
    path: page.path as string,
    blob: page.blob_oid as string,
    digest: hash('md5', JSON.stringify([page, chunks, links])),
  }))
  const parts = rows.map(({ chunks, links }) => (chunks?.length ?? 0) + (links?.length ?? 0))
  return { pages, orphans: rows.length === 0 ? 0 : rows[0].all_chunks + rows[0].all_links - sum(parts) }
}

const STATE_SQL = `SELECT bookmark, bookmark IS NOT NULL AND NOT dirty AS finished FROM tidemark.sources WHERE id = $1`
