import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'
import { gitIn } from '../../harness/git.ts'
import { embed } from './embedding.ts'
import { findLinks, parsePage } from './page.ts'

interface Settings {
  readonly embeddingUrl: string
  /** Passes over a file whose content is stored already: the first fix relies on it. */
  readonly skipStored: boolean
  /** Looked at after the pull and before each file that is deleted, moved or imported; a first sync does not look. */
  readonly signal: AbortSignal | undefined
  readonly onRead: (path: string, hash: string) => void
}

/**
 * One source, its lock held by the caller: pull, deletes, renames, imports with embedding inline, links of all its
 * pages anew; and only then the bookmark.
 */
export async function syncSource(db: pg.Client, source: string, settings: Settings): Promise<'done' | 'partial'> {
  const { rows } = await db.query('SELECT folder, last_commit FROM legacy.sources WHERE id = $1', [source])
  const { folder, last_commit: lastCommit } = rows[0]
  const git = gitIn(folder)
  await git.raw('fetch', '--quiet', 'origin', '+main:refs/remotes/origin/main')
  await git.raw('reset', '--quiet', '--hard', 'origin/main')
  const head = await git.revparse('HEAD')
  if (head === lastCommit) return 'done'

  const stop = lastCommit === null ? undefined : settings.signal
  if (stop?.aborted) return 'partial'
  const { deleted, renamed, written } = await findChangedFiles(folder, lastCommit, head)
  for (const path of deleted) {
    if (stop?.aborted) return 'partial'
    await remove(db, source, path)
  }
  for (const [from, to] of renamed) {
    if (stop?.aborted) return 'partial'
    await move(db, source, from, to)
  }
  for (const path of [...renamed.map(([, to]) => to), ...written]) {
    if (stop?.aborted) return 'partial'
    await importFile(db, source, path, { folder, ...settings })
  }
  await extractLinks(db, source)
  await db.query('UPDATE legacy.sources SET last_commit = $2 WHERE id = $1', [source, head])
  return 'done'
}

/** What differs between two commits; all files where there is no earlier one. */
async function findChangedFiles(folder: string, from: string | null, to: string) {
  const git = gitIn(folder)
  const deleted: string[] = []
  const renamed: [from: string, to: string][] = []
  const written: string[] = []
  if (from === null) {
    written.push(...(await git.raw('ls-tree', '-r', '-z', '--name-only', to)).split('\0').filter(Boolean))
    return { deleted, renamed, written }
  }
  const fields = (await git.raw('diff', '--name-status', '-z', '-M', from, to)).split('\0')
  for (let i = 0; i + 1 < fields.length; ) {
    const [kind = '', path = ''] = [fields[i++], fields[i++]]
    if (kind === 'D') deleted.push(path)
    else if (kind.startsWith('R')) renamed.push([path, fields[i++]!])
    else written.push(path)
  }
  return { deleted, renamed, written }
}

async function remove(db: pg.Client, source: string, path: string): Promise<void> {
  for (const table of ['pages', 'chunks', 'links']) {
    await db.query(`DELETE FROM legacy.${table} WHERE source_id = $1 AND path = $2`, [source, path])
  }
}

async function move(db: pg.Client, source: string, from: string, to: string): Promise<void> {
  await remove(db, source, to)
  for (const table of ['pages', 'chunks', 'links']) {
    await db.query(`UPDATE legacy.${table} SET path = $3 WHERE source_id = $1 AND path = $2`, [source, from, to])
  }
}

/** Reads one file and stores it, a statement for each row, its chunks embedded before the next file is looked at. */
async function importFile(
  db: pg.Client,
  source: string,
  path: string,
  { folder, embeddingUrl, skipStored, onRead }: Settings & { folder: string },
): Promise<void> {
  const page = parsePage(await readFile(join(folder, path), 'utf8'))
  onRead(path, page.hash)
  const key = [source, path]
  if (skipStored) {
    const storedSql = 'SELECT content_hash FROM legacy.pages WHERE source_id = $1 AND path = $2'
    const { rows } = await db.query(storedSql, key)
    if (rows[0]?.content_hash === page.hash) return
  }
  const embeddings = await embed(embeddingUrl, page.chunks)
  await db.query('BEGIN')
  await db.query(
    `INSERT INTO legacy.pages VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (source_id, path) DO UPDATE SET content_hash = $3, title = $4, content = $5`,
    [...key, page.hash, page.title, page.content],
  )
  await db.query('DELETE FROM legacy.chunks WHERE source_id = $1 AND path = $2', key)
  for (const [ordinal, chunk] of page.chunks.entries()) {
    const row = [...key, ordinal, chunk, embeddings[ordinal]]
    await db.query('INSERT INTO legacy.chunks VALUES ($1, $2, $3, $4, $5)', row)
  }
  await db.query('COMMIT')
}

/** The links of all pages of a source, looked for anew page by page, whatever has changed. */
async function extractLinks(db: pg.Client, source: string): Promise<void> {
  const { rows } = await db.query('SELECT path FROM legacy.pages WHERE source_id = $1', [source])
  for (const { path } of rows) {
    const key = [source, path]
    const page = await db.query('SELECT content FROM legacy.pages WHERE source_id = $1 AND path = $2', key)
    const stored = await db.query('SELECT target FROM legacy.links WHERE source_id = $1 AND path = $2', key)
    const [now, before] = [findLinks(page.rows[0]?.content ?? ''), stored.rows.map(({ target }) => target)]
    if (now.toSorted().join('\n') === before.toSorted().join('\n')) continue
    await db.query('DELETE FROM legacy.links WHERE source_id = $1 AND path = $2', key)
    for (const target of now) await db.query('INSERT INTO legacy.links VALUES ($1, $2, $3)', [...key, target])
  }
}
