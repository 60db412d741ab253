/** The columns that are added to a table that knows only of expiry, under these names in every table. */
export const OWN_COLUMNS = {
  token: 'bigint',
  holder_id: 'text',
  holder_label: 'text',
  info: 'jsonb',
  attempt_id: 'uuid',
  last_refreshed_at: 'timestamp with time zone',
  heartbeat_ms: 'integer',
  resign_requested_at: 'timestamp with time zone',
  end_reason: 'text',
}

/** A token is a clock that never goes back: at least this many microseconds. */
export const CLOCK = '(extract(epoch FROM clock_timestamp()) * 1000000)::bigint'

/** The end of a lease in its row, without its expiry and `end_reason`. */
export const FREED = `holder_id = NULL, attempt_id = NULL, info = NULL, last_refreshed_at = NULL, heartbeat_ms = NULL,
    resign_requested_at = NULL`

/**
 * Heartbeat, token and fence, and three functions, all with the rights of whoever calls them:
 *
 * - the trigger keeps programs working that know only of expiry. Their writes change neither token nor refresh time:
 *   moving the expiry is their heartbeat, changing the holder their take-over.
 * - acquire and release are functions for speed: their statements are planned once a connection.
 *
 * A take-over needs FOR UPDATE, so it waits for a fence's FOR KEY SHARE; a holder's own writes need FOR NO KEY UPDATE
 * and do not. No index has a column that changes, so each update stays on its page (HOT).
 */
export default /* sql */ `
ALTER TABLE {table} {add_columns};

-- A present holder was alive when it last wrote; nothing says when that was, so: now.
UPDATE {table} SET last_refreshed_at = clock_timestamp(), holder_id = concat_ws(':', {holderHost}, {holderPid})
WHERE {expiresAt} > clock_timestamp() AND last_refreshed_at IS NULL AND holder_id IS NULL;

CREATE OR REPLACE FUNCTION {trigger_function}() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS {body}
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.{holderPid}, NEW.{holderHost}, NEW.{acquiredAt}) IS NOT DISTINCT FROM
       (OLD.{holderPid}, OLD.{holderHost}, OLD.{acquiredAt}) THEN
      IF NEW.{expiresAt} > OLD.{expiresAt} THEN NEW.last_refreshed_at := clock_timestamp(); END IF;
      RETURN NEW;
    END IF;
    -- Waits for what the last holder has fenced.
    PERFORM FROM {table} AS l WHERE l.{key} = OLD.{key} FOR UPDATE;
    NEW.token := greatest(OLD.token + 1, {clock});
    NEW.end_reason := CASE WHEN OLD.holder_id IS NULL THEN OLD.end_reason ELSE 'expired' END;
  END IF;
  NEW.holder_id := concat_ws(':', NEW.{holderHost}, NEW.{holderPid});
  NEW.last_refreshed_at := clock_timestamp();
  NEW.holder_label := NULL; NEW.attempt_id := NULL; NEW.info := NULL;
  NEW.heartbeat_ms := NULL; NEW.resign_requested_at := NULL;
  RETURN NEW;
END
{body};

-- By the conditions, our own writes never pay for the function.
CREATE TRIGGER tidemark_lock_0002_insert BEFORE INSERT ON {table}
FOR EACH ROW WHEN (NEW.attempt_id IS NULL) EXECUTE FUNCTION {trigger_function}();
CREATE TRIGGER tidemark_lock_0002_update BEFORE UPDATE ON {table}
FOR EACH ROW WHEN (NEW.token = OLD.token AND NEW.last_refreshed_at IS NOT DISTINCT FROM OLD.last_refreshed_at)
EXECUTE FUNCTION {trigger_function}();

CREATE OR REPLACE FUNCTION {acquire_function}(
  for_key text, new_holder text, new_label text, new_host text, new_pid integer, new_info text, new_attempt uuid,
  ttl_ms double precision, beat_ms integer, OUT acquired boolean, OUT token text, OUT held json
) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS {body}
#variable_conflict use_column
DECLARE
  seen record; at timestamptz; now_s double precision;
BEGIN
  acquired := false;
  -- Again where another was faster: then its row is there to be returned.
  FOR round IN 1..3 LOOP
    SELECT l.*, l.ctid AS tidemark_place INTO seen FROM {table} AS l WHERE l.{key} = for_key;
    at := clock_timestamp();
    IF NOT FOUND THEN
      INSERT INTO {table} AS l ({key}, holder_id, holder_label, {holderHost}, {holderPid}, info, attempt_id,
        {acquiredAt}, last_refreshed_at, {expiresAt}, heartbeat_ms)
      VALUES (for_key, new_holder, new_label, new_host, new_pid, new_info::jsonb, new_attempt,
        at, at, at + ttl_ms * interval '1 millisecond', beat_ms)
      ON CONFLICT ({key}) DO NOTHING RETURNING l.token INTO token;
    -- A live lease is refused by reading: no row lock, no write, no waiting for a transaction of its holder.
    ELSIF seen.{expiresAt} > at AND seen.attempt_id IS DISTINCT FROM new_attempt THEN
      EXIT;
    ELSE
      -- A locked row is fenced by the last holder, or being acquired at this moment. By ctid, because by key each
      -- version that an old snapshot keeps would be visited once more.
      UPDATE {table} AS l SET
        -- The same attempt once more: its answer was lost or is still on its way.
        token = CASE WHEN l.attempt_id = new_attempt AND l.{expiresAt} > at THEN l.token ELSE greatest(l.token + 1, {clock}) END,
        holder_id = new_holder, holder_label = new_label, {holderHost} = new_host, {holderPid} = new_pid,
        info = new_info::jsonb, attempt_id = new_attempt, {acquiredAt} = at, last_refreshed_at = at,
        {expiresAt} = at + ttl_ms * interval '1 millisecond', heartbeat_ms = beat_ms, resign_requested_at = NULL,
        end_reason = CASE WHEN l.holder_id IS NULL OR l.attempt_id = new_attempt THEN l.end_reason ELSE 'expired' END
      WHERE l.{key} = for_key AND l.ctid = (
        SELECT free.ctid FROM {table} AS free WHERE free.ctid = seen.tidemark_place AND free.{key} = for_key
          AND (free.{expiresAt} <= at OR free.attempt_id = new_attempt) FOR UPDATE SKIP LOCKED)
      RETURNING l.token INTO token;
    END IF;
    acquired := FOUND;
    IF acquired THEN
      -- A lease that a crash of the server forgets could be held twice.
      IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
      RETURN;
    END IF;
  END LOOP;
  now_s := extract(epoch FROM clock_timestamp());
  token := seen.token;
  held := json_build_object('holder_id', seen.holder_id, 'holder_label', seen.holder_label, 'holder_host', seen.{holderHost},
    'holder_pid', seen.{holderPid}, 'info', seen.info,
    'held_for_ms', (now_s - extract(epoch FROM seen.{acquiredAt})::double precision) * 1000,
    'since_refresh_ms', (now_s - extract(epoch FROM seen.last_refreshed_at)::double precision) * 1000,
    'expires_in_ms', (extract(epoch FROM seen.{expiresAt})::double precision - now_s) * 1000);
END
{body};

-- The token stays: a fenced transaction of the holder's own does not hold it up, and a fence asks for a holder too.
CREATE OR REPLACE FUNCTION {release_function}(
  for_key text, for_token bigint, at_least_ms double precision, channel text, OUT released boolean
) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS {body}
BEGIN
  UPDATE {table} AS l SET ${FREED}, end_reason = 'released',
    -- In the past, for programs that know only of expiry: they ask for less than now, by clocks that tick in ms.
    {expiresAt} = greatest(least(l.{expiresAt}, clock_timestamp() - interval '1 millisecond'),
      l.{acquiredAt} + at_least_ms * interval '1 millisecond')
  WHERE l.{key} = for_key AND l.token = for_token AND l.holder_id IS NOT NULL;
  released := FOUND;
  IF released AND channel IS NOT NULL THEN PERFORM pg_notify(channel, for_key); END IF;
END
{body};
`
