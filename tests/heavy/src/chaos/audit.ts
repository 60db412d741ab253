/**
 * Who wrote what under which lease. Triggers note it in the transaction that writes, so that what is rolled back is not
 * noted; after a wave the notes are taken and held against the invariants.
 */
import type pg from 'pg'
import type { Violation } from './invariants.ts'

/** Rows that a process has written under its lease, by one statement, and who had the lease at that moment. */
export interface Write {
  readonly run: string
  readonly what: 'pages' | 'started' | 'finished'
  readonly source: string
  readonly bookmark: string | null
  readonly token: string | null
  readonly holderPid: number | null
}

/** A lease was taken, or has ended. */
export interface LeaseChange {
  readonly run: string
  readonly key: string
  readonly token: string
  /** Who has it now; null where it has ended. */
  readonly holderPid: number | null
  /** Why the last one to end did. */
  readonly endReason: string | null
  /** Who had it before; null where it was free. */
  readonly beforePid: number | null
  /** How long that one's lease would still have lasted. */
  readonly beforeLeftMs: number | null
}

export interface Audit {
  readonly writes: readonly Write[]
  readonly leases: readonly LeaseChange[]
}

/** What is known of all waves so far: the process of each run, by its name, and the last token of each lease. */
export interface AuditMemory {
  readonly pids: Map<string, number>
  readonly tokens: Map<string, bigint>
}

export const installAudit = (db: pg.Client) => db.query(AUDIT_SQL)

/** Takes what was noted since the last time. What is still on its way is there the next time. */
export async function takeAudit(db: pg.Client): Promise<Audit> {
  const writes = await db.query<Write>(`
    WITH taken AS (DELETE FROM chaos.writes RETURNING *)
    SELECT run, what, source, bookmark, token::text, holder_pid AS "holderPid" FROM taken ORDER BY id`)
  const leases = await db.query<LeaseChange>(`
    WITH taken AS (DELETE FROM chaos.leases RETURNING *)
    SELECT run, key, token::text, holder_pid AS "holderPid", end_reason AS "endReason", before_pid AS "beforePid",
      before_left_ms AS "beforeLeftMs" FROM taken ORDER BY id`)
  return { writes: writes.rows, leases: leases.rows }
}

export function checkAudit({ writes, leases }: Audit, { pids, tokens }: AuditMemory): Violation[] {
  const violations: Violation[] = []
  for (const { run, what, source, token, holderPid } of writes) {
    if (holderPid !== null && holderPid === pids.get(run)) continue
    const observed = `${run} (process ${pids.get(run)}) wrote ${what} while process ${holderPid} held token ${token}`
    violations.push({ invariant: 'fenced', source, observed })
  }
  for (const { run, key, token, holderPid, endReason, beforePid, beforeLeftMs } of leases) {
    const source = key.replace(/^sync:/, '')
    // A release empties the holder and keeps the token, which no take-over and no break does.
    const released = holderPid === null && endReason === 'released'
    const last = tokens.get(key) ?? 0n
    if (BigInt(token) < last || (BigInt(token) === last && !released)) {
      violations.push({ invariant: 'tokens', source, observed: `token ${token} came after ${last}` })
    }
    tokens.set(key, BigInt(token))
    const byItself = released && pids.get(run) === beforePid
    if (beforePid !== null && beforeLeftMs! > 0 && !byItself) {
      const what = holderPid === null ? `${run} has ${endReason}` : `process ${holderPid} has taken`
      const observed = `${what} the lease of process ${beforePid}, which had it for ${beforeLeftMs} ms more`
      violations.push({ invariant: 'alive', source, observed })
    }
  }
  return violations
}

/*
 * The fence of a batch has locked the lease's row, if it is what it should be, so the row that the trigger reads is
 * the one that the batch was written under. Were there no fence, the trigger would see who has taken over.
 * A row without a holder_id is free, whatever process it still names.
 *
 * A lease is taken or ends where the row's holder, attempt or token is another; what changes none of them is a
 * heartbeat. The ids of such changes are drawn under the row's lock: for one key they are in the order of commits.
 */
const AUDIT_SQL = /* sql */ `
CREATE SCHEMA chaos;
CREATE TABLE chaos.writes (
  id bigint GENERATED ALWAYS AS IDENTITY, run text, what text, source text, bookmark text, token bigint, holder_pid integer
);
CREATE TABLE chaos.leases (
  id bigint GENERATED ALWAYS AS IDENTITY, run text, key text, token bigint, holder_pid integer, end_reason text,
  before_pid integer, before_left_ms double precision
);

CREATE FUNCTION chaos.note_pages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO chaos.writes (run, what, source, token, holder_pid)
  SELECT current_setting('application_name'), 'pages', source_id, token, CASE WHEN holder_id IS NOT NULL THEN holder_pid END
  FROM (SELECT DISTINCT source_id FROM changed) AS c LEFT JOIN tidemark.locks ON key = 'sync:' || source_id;
  -- Long enough for something to happen in the middle of a batch.
  IF FOUND THEN PERFORM pg_sleep(0.03); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER note_insert AFTER INSERT ON tidemark.pages
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION chaos.note_pages();
CREATE TRIGGER note_update AFTER UPDATE ON tidemark.pages
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION chaos.note_pages();
CREATE TRIGGER note_delete AFTER DELETE ON tidemark.pages
REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION chaos.note_pages();

CREATE FUNCTION chaos.note_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- What a look that takes no lease may write.
  IF TG_OP = 'UPDATE' AND (NEW.bookmark, NEW.target, NEW.dirty) IS NOT DISTINCT FROM (OLD.bookmark, OLD.target, OLD.dirty) THEN
    RETURN NULL;
  END IF;
  INSERT INTO chaos.writes (run, what, source, bookmark, token, holder_pid)
  SELECT current_setting('application_name'), CASE WHEN NEW.dirty THEN 'started' ELSE 'finished' END, NEW.id, NEW.bookmark,
    token, CASE WHEN holder_id IS NOT NULL THEN holder_pid END
  FROM (SELECT) AS one LEFT JOIN tidemark.locks ON key = 'sync:' || NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON tidemark.sources FOR EACH ROW EXECUTE FUNCTION chaos.note_source();

CREATE FUNCTION chaos.note_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE'
    AND (NEW.token, NEW.holder_id, NEW.attempt_id) IS NOT DISTINCT FROM (OLD.token, OLD.holder_id, OLD.attempt_id) THEN
    RETURN NULL;
  END IF;
  INSERT INTO chaos.leases (run, key, token, holder_pid, end_reason, before_pid, before_left_ms) VALUES (
    current_setting('application_name'), NEW.key, NEW.token,
    CASE WHEN NEW.holder_id IS NOT NULL THEN NEW.holder_pid END, NEW.end_reason,
    CASE WHEN OLD.holder_id IS NOT NULL THEN OLD.holder_pid END,
    extract(epoch FROM OLD.expires_at - clock_timestamp()) * 1000
  );
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON tidemark.locks FOR EACH ROW EXECUTE FUNCTION chaos.note_lease();`
