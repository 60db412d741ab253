import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'
import { hasSystemPostgres } from './system-postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Connection string of the Postgres that this test run started. */
    postgresUrl: string
    /** That of the system's Postgres; null where none is installed. */
    systemPostgresUrl: string | null
    /** An initialised PGlite data folder, to copy: initialising one takes seconds, copying it a tenth. */
    pgliteTemplate: string
  }
}

/** Our Postgres, the one that the system's package manager installs, a server that is there already, or PGlite. */
export type Engine = 'postgres' | 'system-postgres' | 'service-postgres' | 'pglite'

const chosen = process.env.TEST_ENGINES?.split(',')

/** Whether tests run on it: on all, or on what the variable `TEST_ENGINES` names, as in `TEST_ENGINES=postgres npm test`. */
export const isChosen = (engine: string) => chosen?.includes(engine) ?? true

/** The address of a server with pgvector, as CI has it beside its job; its user may create databases. */
const serviceUrl = process.env.TEST_POSTGRES_URL || null

/**
 * The engines that every test of the database runs on, for `describe.each(engines)`: the server of `TEST_POSTGRES_URL`
 * only where `TEST_ENGINES` names it.
 */
export const engines: readonly Engine[] = (['postgres', 'pglite', 'service-postgres'] as const).filter((engine) =>
  engine === 'service-postgres' ? chosen?.includes(engine) : isChosen(engine),
)

/**
 * Those, the system's Postgres where one is installed, and the server that `TEST_POSTGRES_URL` names: for what rests on
 * statements that another server may not know.
 */
export const allEngines: readonly Engine[] = [
  ...engines,
  ...(['system-postgres'] as const).filter((engine) => isChosen(engine) && hasSystemPostgres()),
  ...(chosen || serviceUrl === null ? [] : (['service-postgres'] as const)),
]

/** Those that have pgvector. */
export const vectorEngines = allEngines.filter((engine) => engine === 'pglite' || engine === 'service-postgres')

export interface FreshDatabase {
  readonly engine: Engine
  /** A connection string for Postgres, a folder for PGlite. */
  readonly url: string
  drop(): Promise<void>
}

/** An empty database for one test. The caller closes its connections, then drops it. */
export async function freshDatabase(engine: Engine): Promise<FreshDatabase> {
  return engine === 'pglite' ? freshPglite() : freshPostgres(serverOf(engine), engine)
}

function serverOf(engine: Exclude<Engine, 'pglite'>): string {
  const servers = { postgres: 'postgresUrl', 'system-postgres': 'systemPostgresUrl' } as const
  const server = engine === 'service-postgres' ? serviceUrl : inject(servers[engine])
  if (server === null) throw new Error(`There is no ${engine}: install the system's, or set TEST_POSTGRES_URL`)
  return server
}

async function freshPostgres(server: string, engine: Engine): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    engine,
    url: url.href,
    async drop() {
      await connectionsEnded(server, name)
      await administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}

async function freshPglite(): Promise<FreshDatabase> {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-pglite-'))
  const url = join(home, 'db')
  await cp(inject('pgliteTemplate'), url, { recursive: true })
  return { engine: 'pglite', url, drop: () => rm(home, { recursive: true, force: true, maxRetries: 10 }) }
}

/** A pool has ended before the server knows, and a connection that is cut then tells no one but the process. */
async function connectionsEnded(server: string, database: string): Promise<void> {
  const patience = AbortSignal.timeout(500)
  const connected = () => administer(server, 'SELECT FROM pg_stat_activity WHERE datname = $1', [database])
  while ((await connected()) > 0 && !patience.aborted) await sleep(10)
}

/** @returns how many rows it has or has touched. */
async function administer(server: string, statement: string, params: string[] = []): Promise<number> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    return (await client.query(statement, params)).rowCount ?? 0
  } finally {
    await client.end()
  }
}
