/** Refuses a table that cannot hold leases, before anything is changed. `t`, `problem`, `remedy`: see migrate.ts. */
export default /* sql */ `
SELECT wrong.problem, wrong.remedy INTO problem, remedy FROM (
  SELECT 1, 'it is not a table', 'give the name of a table' FROM pg_class WHERE oid = t AND relkind NOT IN ('r', 'p')
  UNION ALL
  SELECT 2, format('it has no column %I', needed.name), 'name its columns by the option "columns"'
  FROM (VALUES {needed_columns}) AS needed (name, types)
  WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = t AND attname = needed.name AND NOT attisdropped)
  UNION ALL
  SELECT 3, format('its column %I is of type %s', attname, format_type(atttypid, NULL)),
    format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', t, attname, needed.types[1])
  FROM (VALUES {needed_columns}, {own_columns}) AS needed (name, types)
  JOIN pg_attribute ON attrelid = t AND attname = needed.name AND NOT attisdropped
  WHERE format_type(atttypid, NULL) <> ALL (needed.types) AND needed.name NOT IN ({own_names})
  UNION ALL
  SELECT 4, format('two texts that differ are equal by the collation of its column %I', attname),
    format('ALTER TABLE %s ALTER COLUMN %I TYPE text COLLATE "C"', t, attname)
  FROM pg_attribute JOIN pg_collation ON pg_collation.oid = attcollation
  WHERE attrelid = t AND attname = {key_literal} AND NOT collisdeterministic
  UNION ALL
  SELECT 5, format('its column %I is not unique', {key_literal}::text), format('ALTER TABLE %s ADD PRIMARY KEY (%I)', t, {key_literal}::text)
  WHERE NOT EXISTS (
    SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = t AND attname = {key_literal} AND indisunique AND indimmediate AND indisvalid
      AND indpred IS NULL AND indexprs IS NULL AND indnkeyatts = 1)
  UNION ALL
  SELECT 6, format('it has a column %I of its own', attname), format('ALTER TABLE %s RENAME COLUMN %I TO another name', t, attname)
  FROM pg_attribute
  WHERE attrelid = t AND attname IN ({own_names}) AND NOT attisdropped AND 5 > (
    SELECT count(*) FROM (VALUES {own_columns}) AS own (name, types)
    JOIN pg_attribute ON attrelid = t AND attname = own.name AND NOT attisdropped
    WHERE name IN ('token', 'holder_id', 'info', 'attempt_id', 'last_refreshed_at') AND format_type(atttypid, NULL) = own.types[1])
  UNION ALL
  SELECT 7, format('its column %I must be given a value', attname), format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT a value', t, attname)
  FROM pg_attribute
  WHERE attrelid = t AND attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef AND attidentity = ''
    AND attname NOT IN (SELECT name FROM (VALUES {needed_columns}) AS needed (name, types)) AND attname NOT IN ({own_names})
) AS wrong (rank, problem, remedy) ORDER BY rank LIMIT 1;
IF problem IS NOT NULL THEN
  RAISE EXCEPTION USING ERRCODE = 'P0TLK', MESSAGE = format('%s cannot hold leases: %s. Remedy: %s', t, problem, remedy);
END IF;
`
