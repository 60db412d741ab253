import type { Database } from '../database/database.ts'
import { orIfNoSchema } from './or-if-no-schema.ts'

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
  const { rows } = await orIfNoSchema(db.query<StoredSource>(`${READ_SOURCES} WHERE id = $1`, [id]), {
    rows: [],
  })
  return rows[0] ?? null
}

/** All sources that were ever synced, by id. */
export async function readSources(db: Database): Promise<StoredSource[]> {
  return (await orIfNoSchema(db.query<StoredSource>(`${READ_SOURCES} ORDER BY id`), { rows: [] })).rows
}

const READ_SOURCES = /* sql */ `
SELECT id, repo, ref, bookmark, target, dirty, last_checked_at AS "lastCheckedAt", last_synced_at AS "lastSyncedAt",
       last_status AS "lastStatus"
FROM tidemark.sources`
