import { qualified, qualifiedFunction, quote } from './identifier.ts'
import { CLOCK, FREED } from './migrations/0002-heartbeat.ts'
import type { Settings } from './options.ts'
import { CHANNEL } from './wakeups.ts'

/** The statements of one table. Each is one round trip; all times are `clock_timestamp()` of the database. */
export function statementsFor({ table, columns }: Settings, { notify }: { notify: boolean }) {
  const t = qualified(table)
  const [k, pid, host] = [quote(columns.key), quote(columns.holderPid), quote(columns.holderHost)]
  const [acquired, expires] = [quote(columns.acquiredAt), quote(columns.expiresAt)]
  const ms = (n: number) => `$${n}::double precision * interval '1 millisecond'`
  const epochMs = (time: string) => `extract(epoch FROM ${time})::double precision * 1000`
  // Ages in ms, as numbers: a timestamp may be infinite, and its text has the session's DateStyle.
  const state = `l.${k} AS key, l.token::text AS token, l.holder_id, l.holder_label, l.${host} AS holder_host,
    l.${pid} AS holder_pid, l.info, l.end_reason, l.resign_requested_at IS NOT NULL AS resign_requested,
    ${epochMs(`l.${acquired}`)} AS acquired_ms, ${epochMs('clock_timestamp()')} - ${epochMs(`l.${acquired}`)} AS held_for_ms,
    ${epochMs('clock_timestamp()')} - ${epochMs('l.last_refreshed_at')} AS since_refresh_ms,
    ${epochMs(`l.${expires}`)} - ${epochMs('clock_timestamp()')} AS expires_in_ms`
  const notified = notify ? `, pg_notify('${CHANNEL}', l.${k})::text` : ''
  // A crash of the server must not forget these; a forgotten release is only an expiry.
  const durably = `CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END`

  return {
    /* $1 key, $2 holder id, $3 label, $4 host, $5 pid, $6 info, $7 attempt, $8 ttl, $9 heartbeat. See migrations/0002. */
    acquire: `SELECT acquired, token, held FROM ${qualifiedFunction(table, '_acquire')}($1, $2, $3, $4, $5, $6, $7, $8, $9)`,

    /* $1 key, $2 token, $3 ms since it was taken for which others are still kept away, or null. See there too. */
    release: `SELECT released FROM ${qualifiedFunction(table, '_release')}($1, $2, $3, ${notify ? `'${CHANNEL}'` : 'NULL'})`,

    /*
     * $1 leases as JSON: n, key, token, ttl_ms, info or null. Runs beside a fence; a row with a stronger lock is skipped,
     * so that it delays no other lease. An expired lease is not revived. The old rows say why one was not renewed.
     */
    renew: `
WITH held AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::text::json) AS h (n integer, key text, token bigint, ttl_ms double precision, info text)
), locked AS MATERIALIZED (
  SELECT held.*, clock_timestamp() AS now FROM held JOIN ${t} AS l ON l.${k} = held.key AND l.token = held.token
  WHERE l.holder_id IS NOT NULL AND l.${expires} > clock_timestamp() FOR NO KEY UPDATE OF l SKIP LOCKED
), renewed AS (
  UPDATE ${t} AS l SET last_refreshed_at = locked.now, ${expires} = locked.now + locked.ttl_ms * interval '1 millisecond',
    info = CASE WHEN locked.info IS NULL THEN l.info ELSE locked.info::jsonb END
  FROM locked WHERE l.${k} = locked.key RETURNING locked.n, ${durably}
)
SELECT held.n, l.resign_requested_at IS NOT NULL AS resign_requested, CASE
  WHEN renewed.n IS NOT NULL THEN 'renewed'
  WHEN l.token IS NULL THEN 'deleted'
  WHEN l.end_reason = 'broken' AND (l.holder_id IS NULL OR l.token <> held.token) THEN 'broken'
  WHEN l.token <> held.token THEN 'taken'
  WHEN l.holder_id IS NULL THEN 'released'
  WHEN l.${expires} <= clock_timestamp() THEN 'expired'
  ELSE 'locked' END AS outcome
FROM held LEFT JOIN renewed ON renewed.n = held.n LEFT JOIN ${t} AS l ON l.${k} = held.key`,

    /*
     * $1 key or null, $2 prefix, $3 host or null, $4 pid or null, $5 age in ms or null, $6 token or null, $7 force.
     * FOR UPDATE waits for fenced transactions and then checks age and token again, so a heartbeat or a take-over in
     * between survives. Never breaks within three of the holder's heartbeats; without $5, not before the expiry.
     */
    break: `
WITH seen AS MATERIALIZED (
  SELECT ${state}, l.token AS seen_token FROM ${t} AS l
  WHERE ($1::text IS NULL OR l.${k} = $1::text) AND starts_with(l.${k}, $2::text)
    AND ($3::text IS NULL OR l.${host} = $3::text) AND ($4::bigint IS NULL OR l.${pid} = $4::bigint)
    AND (l.holder_id IS NOT NULL OR l.${expires} > clock_timestamp())
), locked AS MATERIALIZED (
  SELECT l.${k} AS key FROM ${t} AS l JOIN seen ON l.${k} = seen.key AND l.token = seen.seen_token
  WHERE ($6::bigint IS NULL OR l.token = $6::bigint) AND ($7::boolean OR CASE
    WHEN $5::double precision IS NULL THEN l.last_refreshed_at IS NOT NULL AND l.${expires} <= clock_timestamp()
    ELSE l.last_refreshed_at <= clock_timestamp() - greatest(${ms(5)}, coalesce(l.heartbeat_ms, 0) * 3 * interval '1 millisecond') END)
  ORDER BY l.${k} FOR UPDATE OF l
), broken AS (
  UPDATE ${t} AS l SET ${FREED}, end_reason = 'broken', token = greatest(l.token + 1, ${CLOCK}),
    ${expires} = least(l.${expires}, clock_timestamp() - interval '1 millisecond')
  FROM locked WHERE l.${k} = locked.key RETURNING l.${k} AS key, ${durably}${notified}
)
SELECT seen.*, EXISTS (SELECT FROM broken WHERE broken.key = seen.key) AS broken FROM seen ORDER BY seen.key`,

    /* The parts around the key and the token, for numbered parameters and for template tags. */
    fence: [
      `SELECT pg_current_xact_id_if_assigned()::text AS xid FROM ${t} WHERE ${k} = `,
      ' AND token = ',
      '::bigint AND holder_id IS NOT NULL FOR KEY SHARE',
    ] as const,

    /* $1 key. The database's clock was set back since the last refresh: the lease gets its full length from now. */
    rebase: `
UPDATE ${t} AS l SET ${expires} = clock_timestamp() + (l.${expires} - l.last_refreshed_at), last_refreshed_at = clock_timestamp()
WHERE l.${k} IN (SELECT s.${k} FROM ${t} AS s WHERE s.${k} = $1 AND s.last_refreshed_at > clock_timestamp() FOR NO KEY UPDATE SKIP LOCKED)`,

    /* $1 key, $2 token or null. */
    requestResign: `
UPDATE ${t} AS l SET resign_requested_at = clock_timestamp()
WHERE l.${k} = $1 AND ($2::bigint IS NULL OR l.token = $2::bigint) AND l.holder_id IS NOT NULL AND l.${expires} > clock_timestamp()
RETURNING 1 AS requested${notified}`,

    /*
     * $1 age in ms. Keeps a row whose token is ahead of the clock: the key's next token would be lower. Locked rows
     * (fenced, being acquired) are skipped.
     */
    prune: `
WITH old AS MATERIALIZED (
  SELECT l.${k} AS key FROM ${t} AS l
  WHERE l.${expires} <= clock_timestamp() - ${ms(1)} AND l.token < ${CLOCK}
  FOR UPDATE SKIP LOCKED
), pruned AS (DELETE FROM ${t} AS l USING old WHERE l.${k} = old.key RETURNING 1)
SELECT count(*)::integer AS pruned FROM pruned`,

    /* $1 key. */
    inspect: `SELECT ${state} FROM ${t} AS l WHERE l.${k} = $1`,

    /* $1 prefix. */
    list: `SELECT ${state} FROM ${t} AS l WHERE l.holder_id IS NOT NULL AND starts_with(l.${k}, $1) ORDER BY l.${k}`,
  }
}
