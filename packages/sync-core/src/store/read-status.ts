import type { Database } from '../database/database.ts'
import type { SourceStatus } from '../run/source-state.ts'
import { readRows } from './read-rows.ts'
import { contentFingerprint } from './search/content-fingerprint.ts'

const UNKNOWN: Omit<SourceStatus, 'id'> = {
  ...{ bookmark: null, dirty: false, fingerprint: null, lastStatus: null, lastCheckedAt: null, lastSyncedAt: null },
  ...{ sinceCheckMs: null, behindMs: null, quarantined: 0, nothingSelected: null, embedFailure: null, index: null },
  ...{ lastRun: null, lastSettings: null, lease: null, searchLease: null },
}

/** Where these sources stand, in the order of their ids as given; one statement, and nothing is written. */
export async function readStatus(db: Database, ids: readonly string[]): Promise<SourceStatus[]> {
  const rows = await readRows<SourceStatus>(db, READ_STATUS, [ids])
  return rows.length > 0 ? rows : ids.map((id) => ({ id, ...UNKNOWN }))
}

const ms = (interval: string) => `(extract(epoch FROM ${interval}) * 1000)::double precision`

/** As every time in JSON is: JavaScript's own, in UTC to the millisecond. */
const iso = (time: string) => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const leaseSql = (task: string) => /* sql */ `(
    SELECT json_build_object('host', holder_host, 'pid', holder_pid, 'heldForMs', ${ms('clock_timestamp() - acquired_at')},
      'sinceRefreshMs', ${ms('clock_timestamp() - last_refreshed_at')},
      'expiresInMs', ${ms('expires_at - clock_timestamp()')})
    FROM tidemark.locks WHERE key = '${task}:' || wanted.id AND holder_id IS NOT NULL
  )`

// Pages are counted only where the index lacks some, or has some as they were before.
const READ_STATUS = /* sql */ `
SELECT wanted.id, source.bookmark, coalesce(source.dirty, false) AS dirty, source.fingerprint,
  source.last_status AS "lastStatus", source.nothing_selected AS "nothingSelected",
  CASE WHEN source.embed_message IS NOT NULL
    THEN json_build_object('message', source.embed_message, 'nextStep', source.embed_hint) END AS "embedFailure",
  source.last_checked_at AS "lastCheckedAt", source.last_synced_at AS "lastSyncedAt",
  ${ms('clock_timestamp() - source.last_checked_at')} AS "sinceCheckMs",
  ${ms('clock_timestamp() - source.behind_since')} AS "behindMs",
  (SELECT count(*)::integer FROM tidemark.quarantine WHERE source_id = wanted.id) AS quarantined,
  CASE WHEN source.unindexed_since_run IS NOT NULL THEN (
    SELECT json_build_object('pages', count(*), 'indexed', count(known.page_id))
    FROM (SELECT tidemark.dictionary_for(source.search_language) AS language) AS setting CROSS JOIN tidemark.pages AS page
    LEFT JOIN tidemark.search_pages AS known ON known.source_id = page.source_id AND known.page_id = page.id
      AND (source.search_language IS NULL OR known.content_fingerprint = ${contentFingerprint('setting.language')})
    WHERE page.source_id = wanted.id
  ) END AS index,
  CASE WHEN run.id IS NOT NULL THEN json_build_object(
    'startedAt', ${iso('run.started_at')}, 'finishedAt', ${iso('run.finished_at')}, 'status', run.status,
    'reason', run.reason, 'message', run.message, 'hint', run.hint, 'filesRemaining', run.counts -> 'filesRemaining'
  ) END AS "lastRun",
  run.settings AS "lastSettings",
  ${leaseSql('sync')} AS lease, ${leaseSql('search')} AS "searchLease"
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (id, place)
LEFT JOIN tidemark.sources AS source ON source.id = wanted.id
LEFT JOIN LATERAL (
  SELECT * FROM tidemark.runs WHERE source_id = wanted.id ORDER BY runs.id DESC LIMIT 1
) AS run ON true
ORDER BY place`
