import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { commitAll, isolatedGit, type SimpleGit } from '@tidemark/test-engines/git'
import { execa } from 'execa'
import pg from 'pg'
import { afterAll, expect } from 'vitest'

export const BIN = fileURLToPath(new URL('../../bin/tidemark.js', import.meta.url))
const BUNDLE = fileURLToPath(new URL('../../../../demo/vite.bundle', import.meta.url))

/** A folder with two repositories, `docs` of three pages and `vite` of 84, and the built command to run in it. */
export interface CliWorld extends Disposable {
  readonly folder: string
  /** The address of the Postgres of the test file. */
  readonly database: string
  /** What the command has in its environment. */
  readonly env: Record<string, string | undefined>
  /** Git in a repository of the folder. */
  git(repository: string): SimpleGit
  /** Commits all that is in a repository of the folder. */
  commit(repository: string): Promise<string>
  /** Writes a file of the folder. */
  write(name: string, text: string): void
  /** Runs `tidemark` in the folder or one inside it, with that Postgres unless the environment says otherwise. */
  run(args: string, env?: Record<string, string | undefined>, inside?: string): Promise<Outcome>
  /** Runs it with arguments that may hold spaces. */
  runEach(args: readonly string[]): Promise<Outcome>
  /** Runs a line that the command has printed, as a shell takes it. */
  shell(line: string, env?: Record<string, string | undefined>): Promise<Outcome>
  /** Starts it and does not wait. */
  start(args: string, env?: Record<string, string | undefined>): ReturnType<typeof start>
}

export interface Outcome {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

let database: Promise<FreshDatabase> | undefined
let template: Promise<string> | undefined
afterAll(async () => {
  await (await database)?.drop()
  if (template !== undefined) rmSync(await template, { recursive: true })
})

const start = (folder: string, args: readonly string[], env: Record<string, string | undefined>) =>
  execa(process.execPath, [BIN, ...args], { cwd: folder, env, reject: false })

/** @param own the address of a database, in the place of the Postgres of the test file */
export async function cliWorld(own?: string): Promise<CliWorld> {
  if (own === undefined) database ??= freshDatabase('postgres')
  const url = own ?? (await database!).url
  const env = { DATABASE_URL: url, NO_COLOR: '1', CI: undefined, GITHUB_ACTIONS: undefined, FORCE_COLOR: undefined }
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'))
  template ??= makeTemplate()
  cpSync(await template, folder, { recursive: true })
  const git = (repository: string) => isolatedGit(join(folder, repository))
  return {
    folder,
    database: url,
    env,
    git,
    commit: (repository) => commitAll(git(repository)),
    write(name, text) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), text)
    },
    async run(args, more = {}, inside = '.') {
      const { exitCode, stdout, stderr } = await start(join(folder, inside), args.split(' '), {
        ...env,
        ...more,
      })
      return { exitCode, stdout, stderr }
    },
    async runEach(args) {
      const { exitCode, stdout, stderr } = await start(folder, args, env)
      return { exitCode, stdout, stderr }
    },
    async shell(line, more = {}) {
      const script = `tidemark() { '${process.execPath}' '${BIN}' "$@"; }\n${line}`
      const { exitCode, stdout, stderr } = await execa('sh', ['-c', script], {
        ...{ cwd: folder, env: { ...env, ...more }, reject: false },
      })
      return { exitCode, stdout, stderr }
    },
    start: (args, more = {}) => start(folder, args.split(' '), { ...env, ...more }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  }
}

async function makeTemplate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-template-'))
  const docs = join(folder, 'docs')
  mkdirSync(docs)
  for (const name of ['a', 'b', 'c']) writeFileSync(join(docs, `${name}.md`), `# ${name}`)
  await isolatedGit(folder).clone(BUNDLE, 'vite.git', ['--bare'])
  await isolatedGit(docs).init()
  await commitAll(isolatedGit(docs))
  return folder
}

let names = 0
/** Names that no other test of the same database has. */
export const freshName = (word = 'source') => `${word}${++names}`

const BLOCKED = `SELECT count(*)::int AS n FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'tidemark' AND wait_event_type = 'Lock'`

/** Lets syncs come as far as writing their first batch, or so many later to that table, and no further until they are let go. */
export async function heldBack(world: CliWorld, batches = 0, table: 'chunks' | 'search_chunks' = 'chunks') {
  await world.run('migrate')
  const pool = new pg.Pool({ connectionString: world.database })
  const holder = await pool.connect()
  if (batches === 0) await holder.query('BEGIN; LOCK TABLE tidemark.pages IN SHARE MODE')
  else {
    // A trigger waits for what this session holds once so many batches are in.
    await pool.query(`CREATE SEQUENCE IF NOT EXISTS batches; ALTER SEQUENCE batches RESTART;
      CREATE OR REPLACE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF nextval('batches') > ${batches} THEN PERFORM pg_advisory_xact_lock_shared(42); END IF; RETURN NULL; END $$;
      CREATE OR REPLACE TRIGGER hold_back BEFORE INSERT ON tidemark.${table} EXECUTE FUNCTION hold_back()`)
    await holder.query('BEGIN; SELECT pg_advisory_xact_lock(42)')
  }
  let held = true
  const letGo = async () => {
    if (held) await holder.query('COMMIT')
    held = false
    await pool.query(`DROP TRIGGER IF EXISTS hold_back ON tidemark.${table}`)
  }
  return {
    pool,
    /** Waits until so many of them write. */
    waiting: (n: number) => expect.poll(async () => (await pool.query(BLOCKED)).rows[0].n, { timeout: 30_000 }).toBe(n),
    /** The process that syncs a source. */
    async readPid(source: string): Promise<number> {
      const { rows } = await pool.query('SELECT holder_pid FROM tidemark.locks WHERE key = $1', [`sync:${source}`])
      return rows[0].holder_pid
    },
    /** Waits until no process has the lease of a source. */
    free: (source: string) =>
      expect
        .poll(
          async () =>
            (await pool.query('SELECT holder_id FROM tidemark.locks WHERE key = $1', [`sync:${source}`])).rows,
          { timeout: 30_000 },
        )
        .toEqual([{ holder_id: null }]),
    letGo,
    async [Symbol.asyncDispose]() {
      await letGo()
      holder.release()
      await pool.end()
    },
  }
}

/** Waits until a process is gone. */
export const gone = (pid: number) =>
  expect
    .poll(
      () => {
        try {
          return process.kill(pid, 0)
        } catch {
          return false
        }
      },
      { timeout: 30_000 },
    )
    .toBe(false)
