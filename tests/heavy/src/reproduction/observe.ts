import type pg from 'pg'
import { createPool } from '../harness/harness.ts'
import { blobId } from './source-history.ts'

/** What a database holds of a source. */
export interface SourceSnapshot {
  /** The commit of which everything is said to be in. */
  readonly bookmark: string | null
  /** The blob at each path. */
  readonly pages: ReadonlyMap<string, string>
  /** Versions of pages that were ever written, how many of those writes were of one that had been before, and bytes. */
  readonly stored: number
  readonly storedAgain: number
  readonly bytes: number
}

export type Observer = Awaited<ReturnType<typeof observe>>

/**
 * Watches the database of a policy, whoever's its tables are: each write of a page is counted, and made to take the time
 * that is asked for, as the database of the account takes its own.
 *
 * @param schema has tables `sources` and `pages` (and chunks by `chunkPage`) with the columns that both policies have.
 */
export async function observe(database: string, schema: 'legacy' | 'tidemark') {
  const db = createPool(database)
  const page = schema === 'legacy' ? 'path' : 'page_id::text'
  await db.query(OBSERVE.replaceAll('OBSERVED', schema).replace('PAGE', page))
  return {
    db,
    /** What a write of a page takes, by source. */
    async setPageMs(source: string, ms: number): Promise<void> {
      const sql =
        'INSERT INTO harness.costs VALUES ($1, $2) ON CONFLICT (source_id) DO UPDATE SET seconds = excluded.seconds'
      await db.query(sql, [source, ms / 1_000])
    },
    async bookmarks(): Promise<ReadonlyMap<string, string | null>> {
      const { rows } = await db.query(`SELECT id, bookmark FROM ${schema}.sources`)
      return new Map(rows.map(({ id, bookmark }) => [id, bookmark]))
    },
    /** All sources, as they are at one moment. */
    snapshot: () => readSnapshot(db, schema),
    /** The blob at each path, by the text that is stored there. */
    async contents(source: string): Promise<ReadonlyMap<string, string>> {
      const { rows } = await db.query(
        `SELECT path, ${TEXT[schema]} AS text FROM ${schema}.pages WHERE source_id = $1`,
        [source],
      )
      return new Map(rows.map(({ path, text }) => [path, blobId(text)]))
    },
    async countUnembedded(): Promise<number> {
      const { rows } = await db.query(
        'SELECT count(*)::integer AS n FROM harness.chunks WHERE NOT EXISTS (SELECT FROM harness.vectors WHERE hash = md5(content))',
      )
      return rows[0].n
    },
  }
}

/** The whole file; ours keeps the front matter of these sources, a title, apart. */
const TEXT = { legacy: 'content', tidemark: "format(E'---\\ntitle: %s\\n---\\n%s', frontmatter ->> 'title', content)" }

async function readSnapshot(db: pg.Pool, schema: string): Promise<ReadonlyMap<string, SourceSnapshot>> {
  const { rows } = await db.query(/* sql */ `
    SELECT id, bookmark,
      (SELECT coalesce(json_agg(json_build_array(path, blob_oid)), '[]') FROM ${schema}.pages WHERE source_id = source.id) AS pages,
      (SELECT json_build_array(count(*), sum(times - 1), sum(bytes * times)) FROM harness.writes WHERE source_id = source.id) AS writes
    FROM ${schema}.sources AS source`)
  const parse = ({ id, bookmark, pages, writes: [stored, storedAgain, bytes] }: (typeof rows)[number]) =>
    [
      id,
      { bookmark, pages: new Map<string, string>(pages), stored, storedAgain: storedAgain ?? 0, bytes: bytes ?? 0 },
    ] as const
  return new Map(rows.map(parse))
}

/*
 * What is there before has its vectors. What the machine itself takes for a page is part of what it is to take: the time
 * since `harness.began_at`, which a transaction may set, or since the source was written last, if that is the same run.
 */
const OBSERVE = /* sql */ `
CREATE SCHEMA harness;
CREATE TABLE harness.costs (source_id text PRIMARY KEY, seconds double precision NOT NULL, written_at timestamptz);
CREATE TABLE harness.writes (
  source_id text, path text, blob_oid text, bytes integer NOT NULL, times integer NOT NULL DEFAULT 1,
  PRIMARY KEY (source_id, path, blob_oid)
);
CREATE TABLE harness.vectors (hash text PRIMARY KEY, vector jsonb);
CREATE VIEW harness.chunks AS SELECT source_id, PAGE AS page, content FROM OBSERVED.chunks;
INSERT INTO harness.vectors SELECT DISTINCT md5(content) FROM harness.chunks;
CREATE FUNCTION harness.record_writes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  source text := (SELECT source_id FROM written LIMIT 1);
  due double precision := (SELECT seconds * (SELECT count(*) FROM written) FROM harness.costs WHERE source_id = source);
  own text := nullif(current_setting('harness.began_at', true), '');
  began timestamptz := coalesce(own::timestamptz, (SELECT written_at FROM harness.costs WHERE source_id = source));
  spent double precision := coalesce(extract(epoch FROM clock_timestamp() - began), 0);
BEGIN
  PERFORM pg_sleep(due - CASE WHEN spent < 1 THEN spent ELSE 0 END);
  IF own IS NULL THEN UPDATE harness.costs SET written_at = clock_timestamp() WHERE source_id = source; END IF;
  INSERT INTO harness.writes SELECT source_id, path, blob_oid, octet_length(content) FROM written
  ON CONFLICT (source_id, path, blob_oid) DO UPDATE SET times = writes.times + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER inserted AFTER INSERT ON OBSERVED.pages
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION harness.record_writes();
CREATE TRIGGER updated AFTER UPDATE ON OBSERVED.pages
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION harness.record_writes();
ANALYZE`
