import type { Database } from '../database/database.ts'

/** A source as the database remembers it. */
export interface StoredSource {
  readonly id: string
  readonly repo: string
  readonly ref: string
  readonly bookmark: string | null
  readonly target: string | null
  readonly dirty: boolean
  readonly parserVersion: number | null
  readonly fingerprint: string | null
  readonly lastCheckedAt: Date | null
  readonly lastSyncedAt: Date | null
  readonly lastStatus: string | null
}

/** The source of that id, or null where it was never synced. */
export async function readSource(db: Database, id: string): Promise<StoredSource | null> {
  const { rows } = await db.query<StoredSource>(readSourceSql, [id])
  return rows[0] ?? null
}

const readSourceSql = /* sql */ `
SELECT id, repo, ref, bookmark, target, dirty, parser_version AS "parserVersion", fingerprint,
       last_checked_at AS "lastCheckedAt", last_synced_at AS "lastSyncedAt", last_status AS "lastStatus"
FROM tidemark.sources WHERE id = $1`
