import { createLocks, LockError } from '@tidemark/lock'
import type { Database } from '@tidemark/sync-core'
import { problemOfError } from '../problem/error-problem.ts'
import { UsageError } from '../usage-error.ts'

/** The names that programs whose leases know only of expiry have for the columns; the first one that is there. */
const KNOWN_NAMES = {
  key: ['key', 'id', 'name', 'lock_id'],
  holderPid: ['holder_pid', 'pid'],
  holderHost: ['holder_host', 'host', 'hostname'],
  acquiredAt: ['acquired_at', 'locked_at', 'created_at'],
  expiresAt: ['expires_at', 'ttl_expires_at', 'expires'],
}

/**
 * Adds heartbeat, token and fence to a table of leases that another program has made. That program goes on working
 * with it: neither takes from the other what the other holds.
 *
 * @param table `table` or `schema.table`.
 * @returns how many leases are held in it.
 * @throws {UsageError} where there is no such table, or it cannot hold leases: with what would change that.
 */
export async function adoptTable(db: Database, table: string): Promise<number> {
  const { rows } = await db.query<{ name: string }>(columnsSql, [table])
  const present = new Set(rows.map(({ name }) => name))
  if (present.size === 0) throw new UsageError(`there is no table ${table} in ${db.name}`, 'Check its name and schema.')
  const columns = Object.entries(KNOWN_NAMES).map(([part, names]) => {
    const name = names.find((each) => present.has(each))
    if (name !== undefined) return [part, name] as const
    throw new UsageError(
      `${table} is not a table of leases: it has no column ${names.join(' or ')}`,
      `It has ${[...present].join(', ')}. Other names can be told to createLocks of @tidemark/lock.`,
    )
  })
  try {
    const locks = createLocks(db, { table, columns: Object.fromEntries(columns) })
    await locks.migrate()
    return (await locks.list()).length
  } catch (error) {
    if (error instanceof LockError && error.code === 'LOCK_BAD_OPTIONS')
      throw new UsageError(error.message, 'Give a table or schema.table.', error)
    if (error instanceof LockError && error.code === 'LOCK_BAD_TABLE') {
      const { message, nextStep } = problemOfError(error)
      throw new UsageError(message, nextStep, error)
    }
    throw error
  }
}

const columnsSql = /* sql */ `
SELECT attname AS name FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
