/** Refuses a table that cannot hold leases, before anything is changed. `t`, `problem`, `remedy`: see migrate.ts. */
export default /* sql */ `
WITH needed (name, types) AS (VALUES
  ({key_name}, ARRAY['text', 'character varying']), ({holderHost_name}, ARRAY['text', 'character varying']),
  ({holderPid_name}, ARRAY['integer', 'bigint']), ({acquiredAt_name}, ARRAY['timestamp with time zone']),
  ({expiresAt_name}, ARRAY['timestamp with time zone'])
), own (name, type) AS (VALUES {own_columns}), present AS (
  SELECT *, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = t AND attnum > 0 AND NOT attisdropped
), wrong (rank, problem, remedy) AS (
  SELECT 1, 'it is not a table', 'give the name of a table' FROM pg_class WHERE oid = t AND relkind NOT IN ('r', 'p')
  UNION ALL
  SELECT 2, format('it has no column %I', name), 'name its columns by the option "columns"'
  FROM needed WHERE name NOT IN (SELECT attname FROM present)
  UNION ALL
  SELECT 3, format('its column %I is of type %s', name, type), format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', t, name, types[1])
  FROM needed JOIN present ON attname = name WHERE type <> ALL (types)
  UNION ALL
  SELECT 4, format('two texts that differ are equal by the collation of its column %I', attname),
    format('ALTER TABLE %s ALTER COLUMN %I TYPE text COLLATE "C"', t, attname)
  FROM present JOIN pg_collation ON pg_collation.oid = attcollation WHERE attname = {key_name} AND NOT collisdeterministic
  UNION ALL
  SELECT 5, format('its column %I is not unique', {key_name}::text), format('ALTER TABLE %s ADD PRIMARY KEY (%I)', t, {key_name}::text)
  WHERE NOT EXISTS (
    SELECT FROM pg_index JOIN present ON attrelid = indrelid AND attnum = indkey[0]
    WHERE attname = {key_name} AND indisunique AND indimmediate AND indisvalid AND indpred IS NULL AND indexprs IS NULL AND indnkeyatts = 1)
  UNION ALL
  SELECT 6, format('it has a column %I of its own', attname), format('ALTER TABLE %s RENAME COLUMN %I TO another name', t, attname)
  FROM present WHERE attname IN (SELECT name FROM own) AND 5 > (
    SELECT count(*) FROM own JOIN present USING (type)
    WHERE attname = name AND name IN ('token', 'holder_id', 'info', 'attempt_id', 'last_refreshed_at'))
  UNION ALL
  SELECT 7, format('its column %I must be given a value', attname), format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT a value', t, attname)
  FROM present WHERE attnotnull AND NOT atthasdef AND attidentity = ''
    AND attname NOT IN (SELECT name FROM needed UNION ALL SELECT name FROM own)
)
SELECT wrong.problem, wrong.remedy INTO problem, remedy FROM wrong ORDER BY rank LIMIT 1;
IF problem IS NOT NULL THEN
  RAISE EXCEPTION USING ERRCODE = 'P0TLK', MESSAGE = format('%s cannot hold leases: %s. Remedy: %s', t, problem, remedy);
END IF;
`
