import {
  closeDatabase,
  type Database,
  type DatabaseOptions,
  explainRefusal,
  migrate,
  openDatabase,
} from '@tidemark/sync-core'

/**
 * Opens the database at an address for some work, and closes it afterwards: its results stand whatever comes of that.
 *
 * @param options.migrates whether its tables are brought up to date first
 * @param options.onCloseError gets what went wrong with closing
 */
export async function withDatabase<T>(
  address: string,
  work: (db: Database) => Promise<T>,
  {
    migrates = false,
    onCloseError,
    ...opening
  }: Pick<DatabaseOptions, 'signal' | 'waitMs' | 'label' | 'ttlMs' | 'heartbeatMs'> & {
    readonly migrates?: boolean
    readonly onCloseError: (error: Error, database: Database) => void
  },
): Promise<T> {
  const db = await openDatabase(address, opening)
  try {
    if (migrates) await migrate(db, opening)
    return await work(db)
  } catch (error) {
    await explainRefusal(db, error)
    throw error
  } finally {
    await closeDatabase(db, (error) => onCloseError(error, db))
  }
}
