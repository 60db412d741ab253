import type { Database } from '@tidemark/sync-core'

/** What has the place of an embedded database that has not been made yet. */
export interface MissingDatabase extends Database {
  readonly missing: true
}

/**
 * A database without tables in the place of an embedded one whose folder is not there yet: each query finds nothing, as
 * it would in an empty database, and none has to be started for that.
 */
export async function missingDatabase(folder: string): Promise<MissingDatabase> {
  const { createLocks } = await import('@tidemark/lock')
  const query = async (): Promise<never> => {
    throw Object.assign(new Error(`there is no database in ${folder} yet`), { code: NO_SUCH_SCHEMA })
  }
  const absent = { list: async () => [], break: async (key: string) => ({ verdict: 'absent' as const, key }) }
  const locks = { ...createLocks({ query }, { table: 'tidemark.locks' }), ...absent }
  return { missing: true, engine: 'pglite', name: folder, query, listen: query, locks, close: async () => {} }
}

export const isMissing = (db: Database): db is MissingDatabase => 'missing' in db

const NO_SUCH_SCHEMA = '3F000'
