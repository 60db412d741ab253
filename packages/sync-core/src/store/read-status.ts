import type { Database } from '../database/database.ts'
import type { SourceStatus } from '../run/source-state.ts'
import { readRows } from './read-rows.ts'

const UNKNOWN: Omit<SourceStatus, 'id'> = {
  ...{ bookmark: null, dirty: false, lastStatus: null, lastCheckedAt: null, lastSyncedAt: null },
  ...{ sinceCheckMs: null, behindMs: null, quarantined: 0, nothingSelected: null, lastRun: null, lease: null },
}

/** Where these sources stand, in the order of their ids as given; one statement, and nothing is written. */
export async function readStatus(db: Database, ids: readonly string[]): Promise<SourceStatus[]> {
  const rows = await readRows<SourceStatus>(db, READ_STATUS, [ids])
  return rows.length > 0 ? rows : ids.map((id) => ({ id, ...UNKNOWN }))
}

const ms = (interval: string) => `(extract(epoch FROM ${interval}) * 1000)::double precision`

const READ_STATUS = /* sql */ `
SELECT wanted.id, source.bookmark, coalesce(source.dirty, false) AS dirty, source.last_status AS "lastStatus",
  source.nothing_selected AS "nothingSelected",
  source.last_checked_at AS "lastCheckedAt", source.last_synced_at AS "lastSyncedAt",
  ${ms('clock_timestamp() - source.last_checked_at')} AS "sinceCheckMs",
  ${ms('clock_timestamp() - source.behind_since')} AS "behindMs",
  (SELECT count(*)::integer FROM tidemark.quarantine WHERE source_id = wanted.id) AS quarantined,
  (
    SELECT json_build_object('startedAt', started_at, 'finishedAt', finished_at, 'status', status, 'reason', reason)
    FROM tidemark.runs WHERE source_id = wanted.id ORDER BY runs.id DESC LIMIT 1
  ) AS "lastRun",
  (
    SELECT json_build_object('host', holder_host, 'pid', holder_pid, 'heldForMs', ${ms('clock_timestamp() - acquired_at')},
      'sinceRefreshMs', ${ms('clock_timestamp() - last_refreshed_at')},
      'expiresInMs', ${ms('expires_at - clock_timestamp()')})
    FROM tidemark.locks WHERE key = 'sync:' || wanted.id AND holder_id IS NOT NULL
  ) AS lease
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (id, place)
LEFT JOIN tidemark.sources AS source ON source.id = wanted.id ORDER BY place`
