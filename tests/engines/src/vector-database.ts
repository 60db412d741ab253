import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type FreshDatabase, freshDatabase } from './fresh-database.ts'
import { hasSystemPostgres } from './system-postgres.ts'

/** A Postgres on the wire that has pgvector. */
export interface VectorDatabase extends FreshDatabase {
  /** A server of its own kind, with several sessions at once, timeouts and roles; PGlite behind a socket has none. */
  readonly isServer: boolean
}

/**
 * An empty database of the server that `TEST_POSTGRES_URL` names, or of the system's Postgres where pgvector is installed
 * for it, or else of a PGlite behind a socket. The caller closes its connections, then drops it.
 */
export async function freshVectorDatabase(): Promise<VectorDatabase> {
  if (process.env.TEST_POSTGRES_URL) return { ...(await freshDatabase('service-postgres')), isServer: true }
  if (hasSystemPostgres()) {
    const database = await freshDatabase('system-postgres')
    if (await hasVector(database.url)) return { ...database, isServer: true }
    await database.drop()
  }
  return { ...(await freshPgliteServer()), isServer: false }
}

async function hasVector(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(`SELECT FROM pg_available_extensions WHERE name = 'vector'`)).rows.length > 0
  } finally {
    await client.end()
  }
}

async function freshPgliteServer(): Promise<FreshDatabase> {
  const child = fork(fileURLToPath(new URL('./pglite-server.ts', import.meta.url)), { execArgv: [] })
  const [port] = await once(child, 'message')
  return {
    engine: 'postgres',
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    async drop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
