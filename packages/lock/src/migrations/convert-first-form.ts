/** Removes what the first form of the table had: tokens of a sequence, unique (key, token), a SECURITY DEFINER trigger. */
export default /* sql */ `
IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = t AND attname = 'token' AND attidentity <> '') THEN
  FOR former IN SELECT tgname, tgfoid FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = t AND NOT tgisinternal AND prosecdef LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', former.tgname, t);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', former.tgfoid::regprocedure);
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = former.tgfoid) THEN
      EXECUTE format('DROP FUNCTION %s', former.tgfoid::regprocedure);
    END IF;
  END LOOP;
  FOR former IN SELECT conname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
    WHERE conrelid = t AND contype = 'u' AND attname = 'token' LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', t, former.conname);
  END LOOP;
  EXECUTE format('ALTER TABLE %s ALTER token DROP IDENTITY, ALTER token SET DEFAULT {clock}', t);
  EXECUTE format('ALTER TABLE %s RENAME ended TO end_reason', t);
END IF;
`
