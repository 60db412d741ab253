import * as core from '@actions/core'
import { closeDatabase, type Database, migrate, openDatabase } from '@tidemark/sync-core'
import type { Chosen } from './chosen-sources.ts'
import { explained } from './explained.ts'

/** Opens the database for some work, and closes it afterwards. The signal ends the wait for it to answer. */
export async function withDatabase<T>(
  { database }: Pick<Chosen, 'database'>,
  work: (db: Database) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const db = await openDatabase(database, { signal })
  try {
    return await work(db)
  } finally {
    await closeDatabase(db, warnOfClose)
  }
}

/** The same, with its tables up to date. */
export function withMigratedDatabase<T>(
  chosen: Pick<Chosen, 'database'>,
  work: (db: Database) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const migrated = async (db: Database) => {
    await migrate(db, { signal })
    return work(db)
  }
  return withDatabase(chosen, migrated, signal)
}

function warnOfClose(error: Error): void {
  core.warning(`${explained(error)}. A lease that the step still had ends by itself within 90 s.`, {
    title: 'tidemark: the database was not closed as it should be',
  })
}
