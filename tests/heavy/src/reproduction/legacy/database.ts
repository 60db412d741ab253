import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import type pg from 'pg'
import { simpleGit } from 'simple-git'
import { findLinks, parsePage } from './page.ts'

/** The incumbent's tables, as far as its sync touches them. Its lock has an expiry and no sign of life. */
const SCHEMA = /* sql */ `
CREATE SCHEMA legacy;
CREATE TABLE legacy.sources (id text PRIMARY KEY, folder text NOT NULL, last_commit text);
CREATE TABLE legacy.pages (
  source_id text NOT NULL, path text NOT NULL, content_hash text NOT NULL, title text, content text NOT NULL,
  PRIMARY KEY (source_id, path)
);
CREATE TABLE legacy.chunks (
  source_id text NOT NULL, path text NOT NULL, ordinal integer NOT NULL, content text NOT NULL, embedding real[],
  PRIMARY KEY (source_id, path, ordinal)
);
CREATE TABLE legacy.links (source_id text NOT NULL, path text NOT NULL, target text NOT NULL);
CREATE INDEX ON legacy.links (source_id, path);
CREATE TABLE legacy.locks (
  id text PRIMARY KEY, holder_pid integer NOT NULL, acquired_at timestamptz NOT NULL,
  ttl_expires_at timestamptz NOT NULL, last_refreshed_at timestamptz NOT NULL
)`

/** The incumbent's database as it was before the first wave: clones and, but for what is new, every page of them. */
export async function seedLegacy(
  db: pg.Pool,
  sources: readonly { id: string; folder: string; isNew: boolean }[],
  home: string,
): Promise<void> {
  await db.query(SCHEMA)
  for (const { id, folder, isNew } of sources) {
    const clone = join(home, id)
    await simpleGit().clone(folder, clone, ['--quiet', '--shared'])
    const git = simpleGit(clone, { trimmed: true })
    await db.query('INSERT INTO legacy.sources VALUES ($1, $2, $3)', [
      id,
      clone,
      isNew ? null : await git.revparse('HEAD'),
    ])
    if (isNew) continue
    const read = async (path: string) => ({ path, ...parsePage(await readFile(join(clone, path), 'utf8')) })
    const pages = await pMap((await git.raw('ls-files')).split('\n'), read, { concurrency: 16 })
    await db.query(
      `INSERT INTO legacy.pages SELECT $1, path, hash, title, content
       FROM json_to_recordset($2) AS p (path text, hash text, title text, content text)`,
      [id, JSON.stringify(pages.map(({ chunks: _, ...page }) => page))],
    )
    const links = pages.flatMap(({ path, content }) => findLinks(content).map((target) => ({ path, target })))
    await db.query(
      'INSERT INTO legacy.links SELECT $1, path, target FROM json_to_recordset($2) AS l (path text, target text)',
      [id, JSON.stringify(links)],
    )
  }
  await db.query('ANALYZE legacy.pages, legacy.links')
}
