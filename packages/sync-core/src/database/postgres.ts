import pg from 'pg'
import { SyncError } from '../sync-error.ts'
import { withoutSecrets } from '../without-secrets.ts'
import type { Connection } from './database.ts'

const CONNECT_TIMEOUT_MS = 10_000

/** Opens a pool on a Postgres, and sees that it answers. */
export async function openPostgres(url: string): Promise<Connection> {
  const name = withoutSecrets(url)
  const pool = connect(url, name)
  // An idle connection that is cut is replaced by the pool; without a listener its error would end the process.
  pool.on('error', () => {})
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end().catch(() => {})
    throw explain(error, name)
  }
  return {
    engine: 'postgres',
    name,
    query: (text, params) => pool.query(text, params as unknown[]) as Promise<{ rows: any[] }>,
    close: () => pool.end(),
  }
}

function connect(url: string, name: string): pg.Pool {
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

function explain(error: unknown, name: string): SyncError {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (/^(28|3D)/.test(code)) {
    return new SyncError(
      'DATABASE_REFUSED',
      `${name} refused the connection: ${withoutSecrets(message)}`,
      'Check the user, the password and the name of the database in DATABASE_URL or --database.',
      error,
    )
  }
  return new SyncError(
    'DATABASE_UNREACHABLE',
    `${name} does not answer: ${withoutSecrets(message || code || String(error))}`,
    'Check that the server runs and that host and port in DATABASE_URL or --database are right.',
    error,
  )
}
