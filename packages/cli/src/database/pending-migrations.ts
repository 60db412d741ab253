import { type Database, migrate } from '@tidemark/sync-core'

/**
 * The statements that `migrate()` would run now: it is let run on the database as it is, but what would change
 * something is written down instead.
 *
 * @throws {SyncError} as `migrate()` does.
 */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const pending: string[] = []
  const locks = { ...db.locks, migrate: async () => void pending.push(...(await pendingOfLocks(db))) }
  const query = async (text: string, params?: unknown[]) => {
    if (/^\s*SELECT\b/i.test(text)) return db.query<any>(text, params)
    pending.push(text.trim())
    return { rows: [] }
  }
  await migrate({ ...db, locks, query })
  return pending
}

async function pendingOfLocks(db: Database): Promise<string[]> {
  // Reads every column that a lease needs, and fails where one is missing.
  const upToDate = await db.locks.list().then(
    () => true,
    (error) => {
      if (error.code === 'LOCK_NOT_MIGRATED') return false
      throw error
    },
  )
  return upToDate ? [] : [db.locks.migrationSql()]
}
