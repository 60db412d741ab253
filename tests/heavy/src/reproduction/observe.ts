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

/** What is not the same in their tables: by what chunks are of one page, and where the whole text of a file is. */
const COLUMNS = {
  legacy: { page: 'path', text: 'content' },
  // Ours keeps the front matter of these sources, a title, apart.
  tidemark: { page: 'page_id', text: `format(E'---\\ntitle: %s\\n---\\n%s', frontmatter ->> 'title', content)` },
}

/**
 * Watches the database of a policy, whoever's its tables are: each write of a page is counted, and made to take the time
 * that is asked for, as the database of the account takes its own.
 */
export async function observe(database: string, schema: keyof typeof COLUMNS) {
  const db = createPool(database)
  const { page, text } = COLUMNS[schema]
  await db.query(OBSERVE.replaceAll('OBSERVED', schema).replace('PAGE', page).replace('TEXT', text))
  return {
    db,
    /** What a write of a page takes, by source. */
    async setPageMs(source: string, ms: number): Promise<void> {
      await db.query(SET_COST, [source, ms / 1_000])
    },
    async bookmarks(): Promise<ReadonlyMap<string, string | null>> {
      const { rows } = await db.query('SELECT id, bookmark FROM harness.sources')
      return new Map(rows.map(({ id, bookmark }) => [id, bookmark]))
    },
    /** All sources, as they are at one moment. */
    async snapshot(): Promise<ReadonlyMap<string, SourceSnapshot>> {
      const { rows } = await db.query(SNAPSHOT)
      return new Map(rows.map(({ id, pages, ...source }) => [id, { ...source, pages: new Map(Object.entries(pages)) }]))
    },
    /** The blob at each path, by the text that is stored there. */
    async contents(source: string): Promise<ReadonlyMap<string, string>> {
      const { rows } = await db.query('SELECT path, text FROM harness.pages WHERE source_id = $1', [source])
      return new Map(rows.map(({ path, text }) => [path, blobId(text)]))
    },
    async countUnembedded(): Promise<number> {
      const { rows } = await db.query(`SELECT count(*)::integer ${UNEMBEDDED}`)
      return rows[0].count
    },
    async hasUnembedded(): Promise<boolean> {
      return (await db.query(`SELECT ${UNEMBEDDED} LIMIT 1`)).rows.length > 0
    },
  }
}

const SET_COST = /* sql */ `
INSERT INTO harness.costs VALUES ($1, $2) ON CONFLICT (source_id) DO UPDATE SET seconds = excluded.seconds`

const SNAPSHOT = /* sql */ `
SELECT * FROM harness.sources, LATERAL (
  SELECT coalesce(json_object_agg(path, blob_oid), '{}') AS pages FROM harness.pages WHERE source_id = id
) AS page, LATERAL (
  SELECT count(*)::integer AS stored, coalesce(sum(times - 1), 0)::integer AS "storedAgain",
    coalesce(sum(bytes * times), 0)::integer AS bytes
  FROM harness.writes WHERE source_id = id
) AS written`

const UNEMBEDDED = /* sql */ `
FROM harness.chunks
WHERE NOT EXISTS (SELECT FROM harness.vectors WHERE hash = md5(content))`

/*
 * What is there before has its vectors. What the machine itself takes for a page is part of what it is to take: the time
 * since the source was written last, if that is the same run.
 */
const OBSERVE = /* sql */ `
CREATE SCHEMA harness;
CREATE TABLE harness.costs (source_id text PRIMARY KEY, seconds double precision NOT NULL, written_at timestamptz);
CREATE TABLE harness.writes (
  source_id text, path text, blob_oid text, bytes integer NOT NULL, times integer NOT NULL DEFAULT 1,
  PRIMARY KEY (source_id, path, blob_oid)
);
CREATE TABLE harness.vectors (hash text PRIMARY KEY, vector jsonb);
CREATE VIEW harness.sources AS SELECT id, bookmark FROM OBSERVED.sources;
CREATE VIEW harness.pages AS SELECT source_id, path, blob_oid, TEXT AS text FROM OBSERVED.pages;
CREATE VIEW harness.chunks AS SELECT source_id, PAGE AS page, content FROM OBSERVED.chunks;
INSERT INTO harness.vectors SELECT DISTINCT md5(content) FROM harness.chunks;
CREATE FUNCTION harness.record_writes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  source text := (SELECT source_id FROM written LIMIT 1);
  due double precision := (SELECT seconds * (SELECT count(*) FROM written) FROM harness.costs WHERE source_id = source);
  last timestamptz := (SELECT written_at FROM harness.costs WHERE source_id = source);
  spent double precision := coalesce(extract(epoch FROM clock_timestamp() - last), 0);
BEGIN
  PERFORM pg_sleep(due - CASE WHEN spent < 1 THEN spent ELSE 0 END);
  UPDATE harness.costs SET written_at = clock_timestamp() WHERE source_id = source;
  INSERT INTO harness.writes SELECT source_id, path, blob_oid, octet_length(content) FROM written
  ON CONFLICT (source_id, path, blob_oid) DO UPDATE SET times = writes.times + 1;
  RETURN NULL;
END $$;
CREATE TRIGGER inserted AFTER INSERT ON OBSERVED.pages
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION harness.record_writes();
CREATE TRIGGER updated AFTER UPDATE ON OBSERVED.pages
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION harness.record_writes();
ANALYZE`
