import { connect } from 'node:net'
import type pg from 'pg'
import { serialize } from 'pg-protocol'
import { ABORTED, raceAbort } from '../../abort.ts'

/** What a statement may take after its signal: most end well in that time, and then nothing was done in vain. */
const GRACE_MS = 150

/** How long a server may take to answer that it has given up. */
const CANCEL_TIMEOUT_MS = 500

export interface Statement {
  readonly pool: pg.Pool
  /** Connections that have a statement on the way. */
  readonly busy: Set<pg.PoolClient>
  readonly text: string
  readonly params: unknown[] | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Runs a statement on a connection of the pool, and waits for neither longer than the signal lets it.
 *
 * @throws the database's error, or the signal's reason.
 */
export async function runQuery({ pool, busy, text, params, signal }: Statement): Promise<{ rows: any[] }> {
  signal?.throwIfAborted()
  const connecting = pool.connect()
  const client = await raceAbort(connecting, signal, GRACE_MS)
  if (client === ABORTED) {
    // It may still come, and then it is for someone else.
    connecting.then(
      (late) => late.release(),
      () => {},
    )
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
async function cancelQuery<T extends object>(
  client: pg.PoolClient,
  running: Promise<T>,
): Promise<T | 'cancelled' | 'unknown'> {
  // What the server has told for this purpose; the driver's types leave it out.
  const { host, port, processID, secretKey } = client as pg.PoolClient & { processID: number; secretKey: number }
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port })
  socket.on('error', () => {})
  socket.end(serialize.cancel(processID, secretKey))
  const ended = running.catch((error: { code?: string }) =>
    error.code === QUERY_CANCELED ? ('cancelled' as const) : ('unknown' as const),
  )
  const outcome = await raceAbort(ended, AbortSignal.timeout(CANCEL_TIMEOUT_MS))
  socket.destroy()
  return outcome === ABORTED ? 'unknown' : outcome
}

const QUERY_CANCELED = '57014'
