/**
 * What every part of the heavy run stands on. A part gets a {@link Harness}: a temporary folder, a real Postgres, a seed,
 * a log and a signal. Ctrl-C and SIGTERM abort the signal, which ends every wait and every process that the part has
 * started; then the server is stopped and the folder removed, however the part ended. It returns a {@link Report}:
 * figures for the reader and checks, of which one that did not pass makes the exit code 1.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgresServer } from '@tidemark/test-engines/postgres-server'
import pg from 'pg'
import { gitIn } from './git.ts'

/** A promise as a sentence, whether it was kept, and the figure that shows it. */
export interface Check {
  readonly check: string
  readonly passed: boolean
  readonly observed: string
}

export interface Report<Figures> {
  readonly figures: Figures
  readonly checks: readonly Check[]
}

export interface HarnessOptions {
  readonly signal: AbortSignal
  readonly seed: number
  /** Shows a line of progress. */
  log(line: string): void
}

export interface Harness extends HarnessOptions, AsyncDisposable {
  /** A temporary folder. */
  readonly folder: string
  readonly server: PostgresServer
  /** Creates an empty database. @returns its connection string. */
  createDatabase(name: string): Promise<string>
}

export async function createHarness(options: HarnessOptions): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-heavy-'))
  const server = await startPostgresServer()
  return {
    ...options,
    folder,
    server,
    async createDatabase(name) {
      await withClient(server.url, (db) => db.query(`CREATE DATABASE "${name}"`))
      return server.url.replace(/[^/]+$/, name)
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Runs a short piece of work on a connection of its own, which a restart of the server in between does not hurt. */
export async function withClient<T>(url: string, work: (db: pg.Client) => Promise<T>): Promise<T> {
  const db = new pg.Client({ connectionString: url })
  await db.connect()
  try {
    return await work(db)
  } finally {
    await db.end()
  }
}

/** Connections for short queries while other processes work. */
export function createPool(url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  // A server that is stopped while they are idle is no error of theirs.
  pool.on('error', () => {})
  return pool
}

/** Where, when and from which seed a run was made: stands in every report. */
export async function describeMachine(seed: number) {
  return {
    date: new Date().toISOString(),
    commit: await gitIn(import.meta.dirname).revparse(['--short=10', 'HEAD']),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    seed,
  }
}

export type Machine = Awaited<ReturnType<typeof describeMachine>>
