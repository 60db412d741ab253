import type { Database } from '@tidemark/sync-core'
import type { Command } from 'commander'
import { table } from '../show/table.ts'
import { duration } from '../show/words.ts'
import { configOf, withDatabaseReadOnly } from './context.ts'
import { outputOf } from './globals.ts'

/** Lists the leases that are held, and those whose holder has died. */
export default async function list(_: object, command: Command): Promise<void> {
  const output = outputOf(command)
  const held = await withDatabaseReadOnly(command, configOf(command), heldIn)
  const shown = held.map(({ key, token, holder, heldForMs, sinceRefreshMs, expiresInMs }) => ({
    key,
    token: String(token),
    holder: holder && { host: holder.host, pid: holder.pid },
    heldForMs,
    sinceRefreshMs,
    expiresInMs,
  }))
  if (output.json) {
    output.printJson({ locks: shown })
    return
  }
  const rows = shown.map(({ key, holder, heldForMs, sinceRefreshMs, expiresInMs }) => [
    key,
    holder === null ? output.paint('yellow', 'dead') : `process ${holder.pid} on ${holder.host}`,
    duration(heldForMs),
    sinceRefreshMs === null ? '–' : `${duration(sinceRefreshMs)} ago`,
    expiresInMs > 0 ? `in ${duration(expiresInMs)}` : 'expired',
  ])
  if (rows.length === 0) output.note('No lease is held.')
  else output.print(table(['lease', 'holder', 'held for', 'last refreshed', 'expires'], rows))
}

/** The leases of a database; none where the tables have not been made yet, for a look must not make them. */
async function heldIn(db: Database) {
  try {
    return await db.locks.list()
  } catch (error) {
    if ((error as { code?: string }).code === 'LOCK_NOT_MIGRATED') return []
    throw error
  }
}
