import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { serialize } from 'pg-protocol'
import { ABORTED, raceAbort, raceTimeout } from '../../race-abort.ts'
import { redact } from '../../redact.ts'
import { SyncError } from '../../sync-error.ts'
import { isConnectionDeferred, isConnectionLost } from '../connection-lost.ts'
import type { Connection, Database } from '../database.ts'
import { listen } from './listen.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** How long a statement waits for a connection that a server cannot give yet: as long as a run may go without a sign of life. */
const MAX_WAIT_MS = 5 * 60_000
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1_000
/** How long `close()` waits for statements that are on their way. */
const CLOSE_TIMEOUT_MS = 2_000
/** What a statement may take after its signal: most end well in that time, and then nothing was done in vain. */
const GRACE_MS = 150
/** How long a server may take to answer that it has given up. */
const CANCEL_TIMEOUT_MS = 500
const QUERY_CANCELED = '57014'
/** With the connections that have a statement on the way, and whether the server has answered once. */
type Pool = { readonly pool: pg.Pool; readonly busy: Set<pg.PoolClient>; readonly readOnly: boolean; answered: boolean }

/** Opens a pool on a Postgres, and sees that it answers. */
export async function openPostgres(
  { url, name }: { readonly url: string; readonly name: string },
  { signal, readOnly = false }: { readonly signal?: AbortSignal | undefined; readonly readOnly?: boolean | undefined },
): Promise<Connection> {
  const options = connectionOptions(url)
  const pool = createPool(options, name)
  // The pool replaces an idle connection that is cut, and a statement rejects where its connection is. Between the two,
  // as while connecting, an error that has no listener would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const busy = new Set<pg.PoolClient>()
  const state: Pool = { pool, busy, readOnly, answered: false }
  const closing = new AbortController()
  const connection: Connection = {
    engine: 'postgres',
    name,
    query: (...statement) => runQuery(state, ...statement),
    listen: (channel, listening, signal) =>
      listen(options, channel, listening, AbortSignal.any([signal, closing.signal])),
    async close() {
      closing.abort()
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
    state.answered = true
    return connection
  } catch (error) {
    // A server that has not even taken the connection is left to itself.
    pool.end().catch(() => {})
    signal?.throwIfAborted()
    throw connectError(error, name)
  }
}

/** What the driver makes of these modes anyway, and else warns of each time. */
const verifiedTls = (url: string) =>
  url.includes('uselibpqcompat') ? url : url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/, '$1verify-full')

const connectionOptions = (url: string): pg.ClientConfig => ({
  connectionString: verifiedTls(url),
  application_name: 'tidemark',
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
})

function createPool(options: pg.ClientConfig, name: string): pg.Pool {
  try {
    // One-shot processes must not linger for a pool that they forgot to close.
    return new pg.Pool({ ...options, allowExitOnIdle: true })
  } catch (error) {
    const hint = 'Give postgres://user@host/database.'
    throw new SyncError('DATABASE_REFUSED', `${name} is not a database address`, hint, error)
  }
}

/** What Node says of a certificate: signed by itself or by an unknown authority, expired, or of another host. */
const CERTIFICATE = /CERT|^UNABLE_TO_(GET_ISSUER|VERIFY)|^ERR_TLS/

function connectError(error: unknown, name: string): SyncError {
  const { code = '', message = '', syscall } = error as { code?: string; message?: string; syscall?: string }
  if (/^(28|3D)/.test(code)) {
    const hint = 'Check the user, the password and the name of the database in DATABASE_URL or --database.'
    return new SyncError('DATABASE_REFUSED', `${name} refused the connection: ${redact(message)}`, hint, error)
  }
  if (isConnectionDeferred(error)) {
    const hint =
      'Raise max_connections or the limit of the role, put a pooler before the server, or run less at a time: --concurrency 1.'
    return new SyncError('DATABASE_UNREACHABLE', `${name} has no connection left: ${redact(message)}`, hint, error)
  }
  if (CERTIFICATE.test(code)) {
    const hint =
      'Give the file with the certificate of its authority: …?sslmode=verify-full&sslrootcert=/path/to/ca.pem, or in NODE_EXTRA_CA_CERTS.'
    const what = `${name} has a certificate that is not trusted: ${redact(message)} (${code})`
    return new SyncError('DATABASE_REFUSED', what, hint, error)
  }
  if (syscall === 'open') {
    const hint = 'Check the paths of sslrootcert, sslcert and sslkey in DATABASE_URL or --database.'
    return new SyncError(
      'DATABASE_REFUSED',
      `${name} names a file that cannot be read: ${redact(message)}`,
      hint,
      error,
    )
  }
  const why = redact(message || code || String(error))
  const hint = 'Check that the server runs and that host and port in DATABASE_URL or --database are right.'
  return new SyncError('DATABASE_UNREACHABLE', `${name} does not answer: ${why}`, hint, error)
}

/** Runs a statement, and waits neither for a connection nor for its end longer than the signal lets it. */
async function runQuery(state: Pool, ...[text, params, signal]: Parameters<Database['query']>) {
  const { busy } = state
  const client = await connectWhenPossible(state, signal)
  busy.add(client)
  let reusable = true
  try {
    const running = state.readOnly ? queryReadOnly(client, text, params) : client.query(text, params)
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

/** The driver's types leave the mode out. */
type OneStatement = pg.QueryConfig & { readonly queryMode: 'extended' }

/** In a transaction of its own: behind a pooler, what is set for a session would be another's. */
async function queryReadOnly(client: pg.PoolClient, text: string, params: unknown[] | undefined) {
  await client.query('BEGIN TRANSACTION READ ONLY')
  try {
    // One statement at a time: without parameters the driver takes several, and a COMMIT among them would end this.
    const statement: OneStatement = { text, ...(params && { values: params }), queryMode: 'extended' }
    return await client.query(statement)
  } finally {
    // Nothing was written.
    await client.query('ROLLBACK')
  }
}

/**
 * A connection of the pool. Waits its turn where the server has none left, and for one that has answered before and is
 * being restarted, as long as the signal lets it.
 */
async function connectWhenPossible({ pool, answered }: Pool, signal: AbortSignal | undefined): Promise<pg.PoolClient> {
  const deadline = performance.now() + (signal ? MAX_WAIT_MS : CONNECT_TIMEOUT_MS)
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS)) {
    signal?.throwIfAborted()
    try {
      const connecting = pool.connect()
      const client = await raceAbort(connecting, signal, GRACE_MS)
      if (client !== ABORTED) return client
      // It may still come, and then it is for someone else.
      connecting.then((late) => late.release()).catch(() => {})
    } catch (error) {
      const passes = isConnectionDeferred(error) || (answered && isConnectionLost(error))
      if (!passes || performance.now() + pauseMs > deadline) throw error
      // Spread, so that those who wait do not come in step.
      await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
    }
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
