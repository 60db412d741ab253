import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { commitAll, isolatedGit, type SimpleGit } from '@tidemark/test-engines/git'
import pg from 'pg'
import { expect } from 'vitest'
import { runStep, type Step, startStep } from './runner.ts'

const BUNDLE = fileURLToPath(new URL('../../../../demo/vite.bundle', import.meta.url))

type StepHere = Omit<Step, 'cwd'>

/** A folder as a job has checked it out, and a database of its own. */
export interface ActionWorld extends AsyncDisposable {
  readonly folder: string
  readonly database: string
  readonly pool: pg.Pool
  /** Writes tidemark.yaml with these sources, and with who embeds where that is given. */
  configure(sources: Readonly<Record<string, object>>, embedding?: object): void
  /** Makes a commit of a repository of the folder that holds these files beside those before. @returns its id */
  commit(repository: string, files: Readonly<Record<string, string>>): Promise<string>
  /** Makes a bare repository of 84 pages. */
  vite(repository: string): Promise<unknown>
  /** Git in a repository of the folder. */
  git(repository: string): SimpleGit
  run(step: StepHere): ReturnType<typeof runStep>
  start(step: StepHere): ReturnType<typeof startStep>
  /** The commit that is in, of each source. */
  bookmarks(): Promise<Record<string, string | null>>
}

export async function actionWorld(): Promise<ActionWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-action-'))
  const database: FreshDatabase = await freshDatabase('postgres')
  const pool = new pg.Pool({ connectionString: database.url, max: 3 })
  pool.on('error', () => {})
  const git = (repository: string) => isolatedGit(join(folder, repository))
  const here = (step: StepHere): Step => ({
    ...step,
    cwd: folder,
    env: { DATABASE_URL: database.url, ...step.env },
  })
  return {
    folder,
    database: database.url,
    pool,
    git,
    configure: (sources, embedding) =>
      writeFileSync(join(folder, 'tidemark.yaml'), JSON.stringify({ sources, embedding })),
    async commit(repository, files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, repository, name)), { recursive: true })
        writeFileSync(join(folder, repository, name), text)
      }
      await git(repository).init()
      return commitAll(git(repository))
    },
    vite: (repository) => git('.').clone(BUNDLE, repository, ['--bare']),
    run: (step) => runStep(here(step)),
    start: (step) => startStep(here(step)),
    async bookmarks() {
      const { rows } = await pool.query('SELECT id, bookmark FROM tidemark.sources')
      return Object.fromEntries(rows.map(({ id, bookmark }) => [id, bookmark]))
    },
    async [Symbol.asyncDispose]() {
      await pool.end()
      await database.drop()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** Lets a sync come as far as its second batch of that table, and no further until the lock is let go. */
export async function heldBack({ pool }: Pick<ActionWorld, 'pool'>, table = 'chunks') {
  const holder = await pool.connect()
  await pool.query(`CREATE SEQUENCE batches;
    CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF nextval('batches') > 1 THEN PERFORM pg_advisory_xact_lock_shared(42); END IF; RETURN NULL; END $$;
    CREATE TRIGGER hold_back BEFORE INSERT ON tidemark.${table} EXECUTE FUNCTION hold_back()`)
  await holder.query('BEGIN; SELECT pg_advisory_xact_lock(42)')
  return heldBy(pool, holder)
}

/** Has a process elsewhere hold a lease for so long. */
export async function heldElsewhere({ pool }: ActionWorld, key: string, expires = '1 hour') {
  await pool.query(
    `INSERT INTO tidemark.locks (key, token, holder_id, holder_host, holder_pid, acquired_at, last_refreshed_at, expires_at)
     VALUES ($1, 1, 'other', 'elsewhere', 7, now() - interval '3 min', now(), now() + $2::interval)
     ON CONFLICT (key) DO UPDATE SET token = locks.token + 1, holder_id = 'other', holder_host = 'elsewhere', holder_pid = 7,
       acquired_at = excluded.acquired_at, last_refreshed_at = now(), expires_at = excluded.expires_at`,
    [key, expires],
  )
}

/** Lets an embedding run come as far as it has its lease, and no further until the lock is let go. */
export async function heldBackEmbedding({ pool }: ActionWorld) {
  const holder = await pool.connect()
  // As in a database that has the table but not the extension: only a run with its lease gets to the second.
  await pool.query('CREATE TABLE tidemark.embeddings (model text, content_hash bytea, embedding text)')
  await holder.query('BEGIN; LOCK TABLE tidemark.embedding_models')
  return heldBy(pool, holder)
}

/** Lets a step that is the first with a database come as far as making its tables, and no further. */
export async function heldBackMigration({ pool }: ActionWorld) {
  const holder = await pool.connect()
  await holder.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('tidemark.migrations', 0))`)
  return heldBy(pool, holder)
}

function heldBy(pool: pg.Pool, holder: pg.PoolClient) {
  const waiting = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'tidemark' AND wait_event_type = 'Lock'`
  return {
    waiting: () =>
      expect.poll(async () => (await pool.query(waiting)).rows[0].n, { timeout: 30_000 }).toBeGreaterThan(0),
    async [Symbol.asyncDispose]() {
      await holder.query('COMMIT')
      holder.release()
    },
  }
}

/** Whether the lease of a source, for that work, is free. */
export async function isFree({ pool }: Pick<ActionWorld, 'pool'>, source: string, work = 'sync'): Promise<boolean> {
  const { rows } = await pool.query('SELECT holder_id FROM tidemark.locks WHERE key = $1', [`${work}:${source}`])
  return rows[0].holder_id === null
}

/** The address of a database that takes a connection and never answers. */
export async function silentDatabase() {
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const connected = once(silent, 'connection') as Promise<[Socket]>
  return {
    url: `postgres://me@127.0.0.1:${port}/x`,
    connected,
    async [Symbol.asyncDispose]() {
      const [socket] = await connected
      socket.destroy()
      silent.close()
    },
  }
}
