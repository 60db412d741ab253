import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import type pg from 'pg'
import { simpleGit } from 'simple-git'
import { withClient } from '../../harness/harness.ts'
import { parsePage } from './page.ts'

/** The incumbent's tables, as far as its sync touches them. */
const SCHEMA = /* sql */ `
CREATE SCHEMA legacy;
CREATE TABLE legacy.sources (id text PRIMARY KEY, folder text NOT NULL, bookmark text);
CREATE TABLE legacy.pages (
  source_id text NOT NULL, path text NOT NULL, blob_oid text NOT NULL, content text NOT NULL,
  PRIMARY KEY (source_id, path)
);
CREATE TABLE legacy.chunks (
  source_id text NOT NULL, path text NOT NULL, ordinal integer NOT NULL, content text NOT NULL,
  PRIMARY KEY (source_id, path, ordinal)
);
CREATE TABLE legacy.locks (
  id text PRIMARY KEY, holder_pid integer NOT NULL,
  ttl_expires_at timestamptz NOT NULL, last_refreshed_at timestamptz NOT NULL
)`

/** Its database as it was before the first wave: clones, and every page of them. */
export async function seedLegacy(
  database: string,
  sources: readonly { id: string; folder: string }[],
  home: string,
): Promise<void> {
  await withClient(database, async (db) => {
    await db.query(SCHEMA)
    for (const { id, folder } of sources) await seedSource(db, id, folder, join(home, id))
  })
}

async function seedSource(db: pg.Client, id: string, folder: string, clone: string): Promise<void> {
  await simpleGit().clone(folder, clone, ['--quiet', '--shared'])
  const git = simpleGit(clone, { trimmed: true })
  await db.query('INSERT INTO legacy.sources VALUES ($1, $2, $3)', [id, clone, await git.revparse('HEAD')])
  const read = async (path: string) => ({ path, ...parsePage(await readFile(join(clone, path), 'utf8')) })
  const pages = await pMap((await git.raw('ls-files')).split('\n'), read, { concurrency: 16 })
  await db.query(
    `WITH page AS MATERIALIZED (
       SELECT * FROM json_to_recordset($2) AS p (path text, "blobOid" text, content text, chunks json)
     ), chunk AS (
       INSERT INTO legacy.chunks SELECT $1, path, n, chunk
       FROM page, json_array_elements_text(chunks) WITH ORDINALITY AS c (chunk, n)
     ) INSERT INTO legacy.pages SELECT $1, path, "blobOid", content FROM page`,
    [id, JSON.stringify(pages)],
  )
}
