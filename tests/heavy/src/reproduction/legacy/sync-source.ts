import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pMap from 'p-map'
import type pg from 'pg'
import { gitIn } from '../../harness/git.ts'
import { storeVectors } from '../embed-stale.ts'
import { embed } from '../embedding-service.ts'
import { parsePage } from './page.ts'

interface Settings {
  readonly embeddingUrl: string
  readonly embeddingMs: number
  readonly pageMs: number
  /** The budget of the first fix, looked at before each file that is deleted, moved or imported. */
  readonly signal: AbortSignal | undefined
  readonly onRead: () => void
}

/** A diff of more files than this is imported by several workers, and embedded later. */
const LARGE_DIFF = 100
const WORKERS = 4

/** One source, its lock held by the caller: pull, deletes, renames, imports, the bookmark. */
export async function syncSource(db: pg.Pool, source: string, settings: Settings): Promise<'done' | 'partial'> {
  const { signal, onRead, embeddingUrl, embeddingMs, pageMs } = settings
  const { rows } = await db.query('SELECT folder, bookmark FROM legacy.sources WHERE id = $1', [source])
  const { folder, bookmark } = rows[0]
  const git = gitIn(folder)
  await git.raw('fetch', '--quiet', 'origin', '+main:refs/remotes/origin/main')
  await git.raw('reset', '--quiet', '--hard', 'origin/main')
  const head = await git.revparse('HEAD')
  if (head === bookmark) return 'done'

  const { deleted, renamed, written } = await findChangedFiles(folder, bookmark, head)
  const isLarge = deleted.length + renamed.length + written.length > LARGE_DIFF
  for (const path of deleted) {
    if (signal?.aborted) return 'partial'
    await remove(db, source, path)
  }
  for (const [from, to] of renamed) {
    if (signal?.aborted) return 'partial'
    await move(db, source, from, to)
  }
  const paths = [...renamed.map(([, to]) => to), ...written]
  // One query: one for each file, 10 milliseconds by its account, would be half a second of a scaled hour.
  const stored = await db.query('SELECT blob_oid FROM legacy.pages WHERE source_id = $1 AND path = ANY ($2)', [
    source,
    paths,
  ])
  const known = new Set(stored.rows.map((row) => row.blob_oid))
  const pace = createPace(isLarge ? pageMs / WORKERS : pageMs + embeddingMs)
  const importOne = async (path: string) => {
    if (signal?.aborted) return
    const page = parsePage(await readFile(join(folder, path), 'utf8'))
    onRead()
    if (known.has(page.blobOid)) return
    await storePage(db, [source, path], page, isLarge ? null : embeddingUrl)
    await pace()
  }
  await pMap(paths, importOne, { concurrency: isLarge ? WORKERS : 1 })
  if (signal?.aborted) return 'partial'
  await db.query('UPDATE legacy.sources SET bookmark = $2 WHERE id = $1', [source, head])
  return 'done'
}

/** How much longer than they are to take pages may have taken, for the next ones to make good. */
const MAX_DEBT_MS = 1_000

/** Has pages take the time that they are to take, what this machine takes for them included, however loaded it is. */
function createPace(pageMs: number) {
  let dueMs = performance.now()
  return (): Promise<void> => {
    dueMs = Math.max(dueMs, performance.now() - MAX_DEBT_MS) + pageMs
    return sleep(Math.max(0, dueMs - performance.now()))
  }
}

/** What differs between two commits. */
async function findChangedFiles(folder: string, from: string, to: string) {
  const deleted: string[] = []
  const renamed: [from: string, to: string][] = []
  const written: string[] = []
  const fields = (await gitIn(folder).raw('diff', '--name-status', '-z', '-M', from, to)).split('\0')
  for (let i = 0; i + 1 < fields.length; ) {
    const [kind = '', path = ''] = [fields[i++], fields[i++]]
    if (kind === 'D') deleted.push(path)
    else if (kind.startsWith('R')) renamed.push([path, fields[i++]!])
    else written.push(path)
  }
  return { deleted, renamed, written }
}

const TABLES = ['chunks', 'pages']

async function remove(db: pg.Pool, source: string, path: string): Promise<void> {
  for (const table of TABLES) {
    await db.query(`DELETE FROM legacy.${table} WHERE source_id = $1 AND path = $2`, [source, path])
  }
}

/** What an earlier run has moved stays: a page that is at the new path wins. */
async function move(db: pg.Pool, source: string, from: string, to: string): Promise<void> {
  const { rowCount } = await db.query('SELECT FROM legacy.pages WHERE source_id = $1 AND path = $2', [source, to])
  if (rowCount) return remove(db, source, from)
  for (const table of TABLES) {
    await db.query(`UPDATE legacy.${table} SET path = $3 WHERE source_id = $1 AND path = $2`, [source, from, to])
  }
}

/** Stores one file. @param embeddingUrl null where it is embedded later. */
async function storePage(db: pg.Pool, key: string[], page: ReturnType<typeof parsePage>, embeddingUrl: string | null) {
  const vectors = embeddingUrl === null ? [] : await embed(embeddingUrl, page.chunks)
  const tx = await db.connect()
  try {
    await tx.query('BEGIN')
    await tx.query(
      `INSERT INTO legacy.pages VALUES ($1, $2, $3, $4)
       ON CONFLICT (source_id, path) DO UPDATE SET blob_oid = $3, content = $4`,
      [...key, page.blobOid, page.content],
    )
    await tx.query('DELETE FROM legacy.chunks WHERE source_id = $1 AND path = $2', key)
    const chunksSql =
      'INSERT INTO legacy.chunks SELECT $1, $2, n, chunk FROM unnest($3::text[]) WITH ORDINALITY AS c (chunk, n)'
    await tx.query(chunksSql, [...key, page.chunks])
    if (vectors.length > 0) await storeVectors(tx, page.chunks, vectors)
    await tx.query('COMMIT')
  } finally {
    tx.release()
  }
}
