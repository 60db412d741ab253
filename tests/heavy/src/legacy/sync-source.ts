import { execa } from 'execa'
import type pg from 'pg'
import { changedFiles } from './changed-files.ts'
import { extractLinks } from './extract-links.ts'
import { importFile } from './import-file.ts'
import { say } from './say.ts'

export interface LegacySettings {
  readonly embeddingUrl: string
  readonly skipStored: boolean
  /** Looked at after the pull and before each file that is deleted, moved or imported; a first sync does not look. */
  readonly signal?: AbortSignal | undefined
}

/**
 * One source, its lock held by the caller: pull, deletes, renames, imports with embedding inline, links of all its
 * pages anew; and only then the bookmark.
 */
export async function syncSource(db: pg.Client, source: string, settings: LegacySettings): Promise<'done' | 'partial'> {
  const { rows } = await db.query('SELECT folder, last_commit FROM legacy.sources WHERE id = $1', [source])
  const { folder, last_commit: lastCommit } = rows[0]
  const git = async (...args: string[]) => (await execa('git', ['-C', folder, ...args])).stdout
  await git('fetch', '--quiet', 'origin', '+main:refs/remotes/origin/main')
  await git('reset', '--quiet', '--hard', 'origin/main')
  const head = await git('rev-parse', 'HEAD')
  if (head === lastCommit) return 'done'

  const stop = lastCommit === null ? undefined : settings.signal
  if (stop?.aborted) return 'partial'
  const { deleted, renamed, written } = await changedFiles(git, lastCommit, head)
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
    await importFile(db, path, { source, folder, ...settings })
  }
  await extractLinks(db, source)
  await db.query('UPDATE legacy.sources SET last_commit = $2 WHERE id = $1', [source, head])
  return 'done'
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

/** One source with the lock around it, told to the harness. */
export async function syncLocked(
  source: string,
  lock: { take(): Promise<{ holderPid: number } | null>; release(): Promise<void> },
  sync: () => Promise<'done' | 'partial'>,
): Promise<boolean> {
  say({ begin: source })
  const refused = await lock.take()
  if (refused) {
    say({ end: source, status: 'locked', holderPid: refused.holderPid })
    return false
  }
  const status = await sync()
  await lock.release()
  say({ end: source, status })
  return true
}
