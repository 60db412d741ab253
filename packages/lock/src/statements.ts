import { quote, type Settings } from './options.ts'

/** The statements of one table. Each is one round trip; all times are `clock_timestamp()` of the database. */
export type Statements = ReturnType<typeof statementsFor>

export function statementsFor({ table, columns }: Settings) {
  const t = table.quoted
  const key = quote(columns.key)
  const pid = quote(columns.holderPid)
  const host = quote(columns.holderHost)
  const acquired = quote(columns.acquiredAt)
  const expires = quote(columns.expiresAt)

  // Raw columns and the database's present: differences are made in held-lock.ts, at a fifth of the planning time.
  const view = `l.${key} AS key, l.token::text AS token, l.holder_id, l.${host} AS holder_host, l.${pid} AS holder_pid, l.info,
    l.ended, l.${acquired} AS acquired_at, l.last_refreshed_at, l.${expires} AS expires_at, clock_timestamp() AS now`
  const milliseconds = (n: number) => `$${n}::double precision * interval '1 millisecond'`
  // As an expired lease has it, so that a program that knows only of expiry takes it for free too. Such a program
  // asks for less than now, and there are clocks that tick in milliseconds.
  const freed = `token = DEFAULT, holder_id = NULL, attempt_id = NULL, info = NULL, last_refreshed_at = NULL,
    ${expires} = least(l.${expires}, clock_timestamp() - interval '1 millisecond')`

  return {
    /*
     * $1 key, $2 holder id, $3 host, $4 pid, $5 info, $6 attempt, $7 ttl. Several at once queue on the row, or on its
     * key where there is none yet; each sees what the one before it left. An attempt whose reply was lost finds
     * itself by its attempt id. The second half tells who is in the way.
     */
    acquire: `
WITH taken AS (
  INSERT INTO ${t} AS l (${key}, holder_id, ${host}, ${pid}, info, attempt_id, ${acquired}, last_refreshed_at, ${expires})
  VALUES ($1, $2, $3, $4::integer, $5::jsonb, $6::uuid, clock_timestamp(), clock_timestamp(), clock_timestamp() + ${milliseconds(7)})
  ON CONFLICT (${key}) DO UPDATE SET
    token = DEFAULT, holder_id = excluded.holder_id, ${host} = excluded.${host}, ${pid} = excluded.${pid},
    info = excluded.info, attempt_id = excluded.attempt_id, ${acquired} = clock_timestamp(),
    last_refreshed_at = clock_timestamp(), ${expires} = clock_timestamp() + ${milliseconds(7)},
    ended = CASE WHEN l.holder_id IS NULL THEN l.ended ELSE 'expired' END
  WHERE l.holder_id IS NULL OR l.${expires} <= clock_timestamp() OR l.attempt_id = excluded.attempt_id
  RETURNING l.token
)
SELECT token::text AS taken, NULL AS token, NULL AS holder_id, NULL AS holder_host, NULL::integer AS holder_pid,
  NULL::timestamptz AS acquired_at, NULL::timestamptz AS last_refreshed_at, NULL::timestamptz AS expires_at, NULL::timestamptz AS now
FROM taken
UNION ALL
SELECT NULL, l.token::text, l.holder_id, l.${host}, l.${pid}, l.${acquired}, l.last_refreshed_at, l.${expires}, clock_timestamp()
FROM ${t} AS l WHERE l.${key} = $1 AND NOT EXISTS (SELECT FROM taken)`,

    /*
     * $1 keys, $2 tokens, $3 ttl. Changes no key column, so a fence's key-share lock does not hold it up. A lease
     * that has expired is not brought back to life: its holder has been told that it is lost.
     */
    renew: `
UPDATE ${t} AS l SET last_refreshed_at = clock_timestamp(), ${expires} = clock_timestamp() + ${milliseconds(3)}
FROM unnest($1::text[], $2::bigint[]) AS held (key, token)
WHERE l.${key} = held.key AND l.token = held.token AND l.${expires} > clock_timestamp()
RETURNING l.${key} AS key, l.token::text AS token`,

    /* $1 key, $2 token. The token changes, so a fence of this very lease no longer holds either. */
    release: `
UPDATE ${t} AS l SET ${freed}, ended = 'released'
WHERE l.${key} = $1 AND l.token = $2::bigint AND l.holder_id IS NOT NULL
RETURNING 1 AS released`,

    /*
     * $1 key, $2 age in ms or null, $3 token or null, $4 force. Age and token are looked at again in the row as it
     * is when the update gets it: a heartbeat or a take-over that came in between is left alone.
     */
    break: `
WITH seen AS MATERIALIZED (SELECT ${view}, l.token AS seen_token FROM ${t} AS l WHERE l.${key} = $1),
broken AS (
  UPDATE ${t} AS l SET ${freed}, ended = 'broken'
  FROM seen
  WHERE l.${key} = $1 AND l.token = seen.seen_token AND l.holder_id IS NOT NULL
    AND ($3::bigint IS NULL OR l.token = $3::bigint)
    AND ($4::boolean OR l.last_refreshed_at <= clock_timestamp() - ${milliseconds(2)})
  RETURNING 1 AS done
)
SELECT seen.*, EXISTS (SELECT FROM broken) AS broken FROM seen`,

    /* $1 key, $2 token. See fence.ts. */
    fence: (n: number) =>
      `SELECT 1 FROM ${t} WHERE ${key} = $${n} AND token = $${n + 1}::bigint FOR KEY SHARE`,

    /* $1 key. */
    inspect: `SELECT ${view} FROM ${t} AS l WHERE l.${key} = $1`,

    /* $1 prefix. */
    list: `SELECT ${view} FROM ${t} AS l WHERE l.holder_id IS NOT NULL AND starts_with(l.${key}, $1) ORDER BY l.${key}`,
  }
}
