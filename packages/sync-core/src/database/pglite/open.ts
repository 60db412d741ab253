import { EventEmitter } from 'node:events'
import { SyncError } from '../../sync-error.ts'
import type { Connection } from '../database.ts'
import { type Child, startChild } from './child.ts'
import { explainDiskFull } from './disk-full.ts'
import { type LockOptions, lockFolder } from './lock.ts'

/** What closing may take: it writes what is in memory, which is in its log already. */
const CLOSE_TIMEOUT_MS = 10_000

/**
 * Opens PGlite in its own process: a statement keeps its thread busy, and heartbeats must fire here. A thread would
 * make this process a gigabyte large, and starting git from such a one holds it for up to 65 ms.
 */
export async function openPglite(
  folder: string,
  { readOnly = false, ...options }: LockOptions & { readonly readOnly?: boolean | undefined },
): Promise<Connection> {
  // The lock goes with the open file: each child has it until it ends, whatever becomes of this process.
  const lock = await lockFolder(folder, options)
  const stop = async (child: Child) => {
    await child.stop()
    await lock.close()
  }
  const notifications = new EventEmitter().setMaxListeners(0)
  const start = () => startChild(folder, lock.fd, ({ channel, payload }) => void notifications.emit(channel, payload))
  let child = start()
  const replace = async (killed: Child) => {
    await killed.stop()
    if (child === killed) {
      child = start()
      if (readOnly) child.send(READ_ONLY).catch(() => {})
      // It has not been told to listen.
      notifications.emit(LOST)
    }
  }
  const query: Connection['query'] = async (text, params, signal) => {
    signal?.throwIfAborted()
    if (child.wasKilled()) await replace(child)
    try {
      return { rows: await child.send(text, params, signal) }
    } catch (error) {
      if (error === signal?.reason) throw error
      throw await explainDiskFull(folder, error)
    }
  }
  try {
    await query(EXPIRE_LEASES, [], options.signal).catch((error) => {
      // A new database has none yet.
      if (error.code !== UNDEFINED_TABLE) throw error
    })
    if (readOnly) await query(READ_ONLY, [], options.signal)
  } catch (error) {
    await stop(child)
    options.signal?.throwIfAborted()
    throw openError(folder, error)
  }
  return {
    engine: 'pglite',
    name: folder,
    query,
    async listen(channel, { onNotification, onLost }, signal) {
      const stop = () => {
        notifications.off(channel, onNotification).off(LOST, stop)
        signal.removeEventListener('abort', stop)
        onLost()
      }
      signal.addEventListener('abort', stop, { once: true })
      notifications.on(channel, onNotification).on(LOST, stop)
      await query(`LISTEN ${channel}`, [], signal)
    },
    async close() {
      try {
        if (!child.wasKilled() && !child.hasEnded()) await child.send(null, [], AbortSignal.timeout(CLOSE_TIMEOUT_MS))
      } finally {
        // What was closed is in its files. Left to itself, the runtime takes two seconds to tidy up a database's memory.
        await stop(child)
      }
    },
  }
}

const READ_ONLY = 'SET default_transaction_read_only = on'

/** Of a process that was replaced; no channel has such a name. */
const LOST = Symbol('lost')

/**
 * Whoever had a lease here has ended, or the folder would be locked. It stays to be seen who that was; the next one
 * takes it over at once, with a token of its own, as of any holder that has died.
 */
const EXPIRE_LEASES = /* sql */ `
UPDATE tidemark.locks SET expires_at = clock_timestamp()
WHERE holder_id IS NOT NULL AND expires_at > clock_timestamp()`

const UNDEFINED_TABLE = '42P01'

function openError(folder: string, error: unknown): unknown {
  if (error instanceof SyncError) return error
  const message = `The embedded database in ${folder} does not open: ${(error as Error).message}`
  const hint = `See that its files are whole and may be read and written, or put a copy of it back. It is a mirror: "mv ${folder} ${folder}.damaged" keeps it, and the next sync stores everything anew.`
  return new SyncError('DATABASE_FOLDER', message, hint, error)
}
