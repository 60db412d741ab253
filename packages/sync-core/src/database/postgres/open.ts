import pg from 'pg'
import { raceAbort } from '../../abort.ts'
import { redact } from '../../redact.ts'
import { SyncError } from '../../sync-error.ts'
import type { Connection } from '../database.ts'
import { runQuery } from './query.ts'

const CONNECT_TIMEOUT_MS = 10_000

/** How long `close()` waits for statements that are on their way. */
const CLOSE_TIMEOUT_MS = 2_000

/** Opens a pool on a Postgres, and sees that it answers. */
export async function openPostgres(url: string, signal: AbortSignal | undefined): Promise<Connection> {
  const name = redact(url)
  const pool = createPool(url, name)
  // An idle connection that is cut is replaced by the pool, and what a statement meets the statement tells. Between the
  // two there are moments, the one of connecting among them, in which nobody listens: that would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const busy = new Set<pg.PoolClient>()
  const connection: Connection = {
    engine: 'postgres',
    name,
    query: (text, params, signal) => runQuery({ pool, busy, text, params, signal }),
    async close() {
      const ended = pool.end()
      // A server that has gone silent must not keep the process from ending.
      await raceAbort(ended, AbortSignal.timeout(CLOSE_TIMEOUT_MS))
      for (const client of busy) {
        busy.delete(client)
        client.release(true)
      }
      await ended
    },
  }
  try {
    await connection.query('SELECT 1', [], signal)
    return connection
  } catch (error) {
    // A server that has not even taken the connection is left to itself.
    pool.end().catch(() => {})
    signal?.throwIfAborted()
    throw connectError(error, name)
  }
}

function createPool(url: string, name: string): pg.Pool {
  try {
    return new pg.Pool({
      connectionString: url,
      application_name: 'tidemark',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      // One-shot processes must not linger for a pool that they forgot to close.
      allowExitOnIdle: true,
    })
  } catch (error) {
    throw new SyncError(
      'DATABASE_REFUSED',
      `${name} is not a database address`,
      'Give postgres://user@host/database.',
      error,
    )
  }
}

function connectError(error: unknown, name: string): SyncError {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (/^(28|3D)/.test(code)) {
    return new SyncError(
      'DATABASE_REFUSED',
      `${name} refused the connection: ${redact(message)}`,
      'Check the user, the password and the name of the database in DATABASE_URL or --database.',
      error,
    )
  }
  return new SyncError(
    'DATABASE_UNREACHABLE',
    `${name} does not answer: ${redact(message || code || String(error))}`,
    'Check that the server runs and that host and port in DATABASE_URL or --database are right.',
    error,
  )
}
