import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Connection string of the Postgres that this test run started. */
    postgresUrl: string
    /** An initialised PGlite data folder, to copy: initialising one takes seconds, copying it a tenth. */
    pgliteTemplate: string
  }
}

export type Engine = 'postgres' | 'pglite'

/** Both engines, for `describe.each(engines)`. */
export const engines: readonly Engine[] = ['postgres', 'pglite']

export interface FreshDatabase {
  readonly engine: Engine
  /** A connection string for Postgres, a folder for PGlite. */
  readonly url: string
  drop(): Promise<void>
}

/** An empty database for one test. The caller closes its connections, then drops it. */
export async function freshDatabase(engine: Engine): Promise<FreshDatabase> {
  return engine === 'postgres' ? freshPostgres() : freshPglite()
}

async function freshPostgres(): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(`CREATE DATABASE ${name}`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return {
    engine: 'postgres',
    url: url.href,
    async drop() {
      await connectionsEnded(name)
      await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}

async function freshPglite(): Promise<FreshDatabase> {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-pglite-'))
  const url = join(home, 'db')
  await cp(inject('pgliteTemplate'), url, { recursive: true })
  return { engine: 'pglite', url, drop: () => rm(home, { recursive: true, force: true }) }
}

/** A pool has ended before the server knows, and a connection that is cut then tells no one but the process. */
async function connectionsEnded(database: string): Promise<void> {
  const patience = AbortSignal.timeout(500)
  const connected = () => administer('SELECT FROM pg_stat_activity WHERE datname = $1', [database])
  while ((await connected()) > 0 && !patience.aborted) await sleep(10)
}

/** @returns how many rows it has or has touched. */
async function administer(statement: string, params: string[] = []): Promise<number> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  try {
    return (await client.query(statement, params)).rowCount ?? 0
  } finally {
    await client.end()
  }
}
