import { connect } from 'node:net'
import pg from 'pg'
import { serialize } from 'pg-protocol'
import { ABORTED, raceAbort, raceTimeout } from '../../race-abort.ts'
import { redact } from '../../redact.ts'
import { SyncError } from '../../sync-error.ts'
import type { Connection, Database } from '../database.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** How long `close()` waits for statements that are on their way. */
const CLOSE_TIMEOUT_MS = 2_000
/** What a statement may take after its signal: most end well in that time, and then nothing was done in vain. */
const GRACE_MS = 150
/** How long a server may take to answer that it has given up. */
const CANCEL_TIMEOUT_MS = 500
const QUERY_CANCELED = '57014'
/** With the connections that have a statement on the way. */
type Pool = { readonly pool: pg.Pool; readonly busy: Set<pg.PoolClient> }

/** Opens a pool on a Postgres, and sees that it answers. */
export async function openPostgres(
  { url, name }: { readonly url: string; readonly name: string },
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const pool = createPool(url, name)
  // The pool replaces an idle connection that is cut, and a statement rejects where its connection is. Between the two,
  // as while connecting, an error that has no listener would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const busy = new Set<pg.PoolClient>()
  const connection: Connection = {
    engine: 'postgres',
    name,
    query: (...statement) => runQuery({ pool, busy }, ...statement),
    async close() {
      const ended = pool.end()
      // A server that has gone silent must not keep the process from ending.
      await raceTimeout(ended, CLOSE_TIMEOUT_MS)
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
    const hint = 'Give postgres://user@host/database.'
    throw new SyncError('DATABASE_REFUSED', `${name} is not a database address`, hint, error)
  }
}

function connectError(error: unknown, name: string): SyncError {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (/^(28|3D)/.test(code)) {
    const hint = 'Check the user, the password and the name of the database in DATABASE_URL or --database.'
    return new SyncError('DATABASE_REFUSED', `${name} refused the connection: ${redact(message)}`, hint, error)
  }
  const why = redact(message || code || String(error))
  const hint = 'Check that the server runs and that host and port in DATABASE_URL or --database are right.'
  return new SyncError('DATABASE_UNREACHABLE', `${name} does not answer: ${why}`, hint, error)
}

/** Runs a statement, and waits neither for a connection nor for its end longer than the signal lets it. */
async function runQuery({ pool, busy }: Pool, ...[text, params, signal]: Parameters<Database['query']>) {
  signal?.throwIfAborted()
  const connecting = pool.connect()
  const client = await raceAbort(connecting, signal, GRACE_MS)
  if (client === ABORTED) {
    // It may still come, and then it is for someone else.
    connecting.then((late) => late.release()).catch(() => {})
    throw signal!.reason
  }
  busy.add(client)
  let reusable = true
  try {
    const running = client.query(text, params)
    const result = await raceAbort(running, signal, GRACE_MS)
    if (result !== ABORTED) return result
    const outcome = await cancelQuery(client, running)
    reusable = outcome === 'cancelled'
    // Done after all: what is in counts.
    if (typeof outcome === 'object') return outcome
    throw signal!.reason
  } finally {
    if (busy.delete(client)) client.release(!reusable)
  }
}

/**
 * Asks the server by the protocol's CancelRequest to give a statement up, and tells what came of it. Where something
 * else has ended the statement, the request is still on its way and would hit the connection's next one: `unknown`.
 */
async function cancelQuery<T extends object>(client: pg.PoolClient, running: Promise<T>) {
  // Sent by the server for this purpose; the driver's types leave it out.
  const { host, port, processID, secretKey } = client as pg.PoolClient & { processID: number; secretKey: number }
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
  socket.on('error', () => {})
  socket.end(serialize.cancel(processID, secretKey))
  const ended = running.catch(({ code }) => (code === QUERY_CANCELED ? ('cancelled' as const) : ('unknown' as const)))
  const outcome = await raceTimeout(ended, CANCEL_TIMEOUT_MS)
  socket.destroy()
  return outcome === ABORTED ? 'unknown' : outcome
}
