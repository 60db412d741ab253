import type { Database } from '../database/database.ts'
import { readRows } from './read-rows.ts'

/** A source as the database remembers it. */
export interface StoredSource {
  readonly id: string
  readonly repo: string
  readonly ref: string
  readonly bookmark: string | null
  readonly target: string | null
  readonly dirty: boolean
  readonly lastCheckedAt: Date | null
  readonly lastSyncedAt: Date | null
  readonly lastStatus: string | null
}

/** The source of that id, or null where it was never synced. */
export async function readSource(db: Database, id: string): Promise<StoredSource | null> {
  return (await readRows<StoredSource>(db, `${READ_SOURCES} WHERE id = $1`, [id]))[0] ?? null
}

/** All sources that were ever synced, by id. */
export const readSources = (db: Database): Promise<StoredSource[]> => readRows(db, `${READ_SOURCES} ORDER BY id`)

const READ_SOURCES = /* sql */ `
SELECT id, repo, ref, bookmark, target, dirty, last_checked_at AS "lastCheckedAt", last_synced_at AS "lastSyncedAt",
       last_status AS "lastStatus"
FROM tidemark.sources`
