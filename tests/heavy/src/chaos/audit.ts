/**
 * Who wrote what under which lease. Triggers note it in the transaction that writes, so that what is rolled back is not
 * noted; after a wave the notes are taken and held against the invariants.
 */
import type pg from 'pg'
import type { WaveRun } from './inject-faults.ts'
import type { Violation } from './invariants.ts'

/** What a run has done: written pages by one statement, started or finished a source, or changed a lease. */
export interface Note {
  readonly run: string
  readonly what: 'pages' | 'started' | 'finished' | 'lease'
  /** Of the lease, `sync:` and the source. */
  readonly key: string
  /** Who has the lease at that moment; null where it is free. */
  readonly holderPid: number | null
  /** Of pages: whether their source was marked as unfinished. */
  readonly dirty?: boolean
  /** Of a source: its bookmark, and where it is finished, `path → blob` of all its pages. */
  readonly bookmark?: string | null
  readonly pages?: Readonly<Record<string, string>> | null
  /** Of a lease that was taken or has ended: why the last one ended, who had it, and for how long he would have. */
  readonly token?: string
  readonly endReason?: string | null
  readonly beforePid?: number | null
  readonly beforeLeftMs?: number | null
}

export const installAudit = (db: pg.Client) => db.query(AUDIT_SQL)

/** Takes what was noted since the last time. What is still on its way is there the next time. */
export async function takeNotes(db: pg.Client): Promise<readonly Note[]> {
  const taken = 'WITH taken AS (DELETE FROM chaos.notes RETURNING *) SELECT note FROM taken ORDER BY id'
  return (await db.query(taken)).rows.map(({ note }) => note)
}

/** @param runs of all waves so far, by their processes. */
export function createNoteChecker(runs: ReadonlyMap<number, Pick<WaveRun, 'name' | 'mayLoseLease'>>) {
  const tokens = new Map<string, bigint>()
  return function* checkNote(note: Note): Generator<Violation> {
    const { run, what, key, holderPid, dirty, endReason, beforePid, beforeLeftMs } = note
    const holder = runs.get(holderPid!)?.name
    if (what !== 'lease') {
      if (holder !== run) yield ['fenced', `${run} wrote ${what} while ${holder} (process ${holderPid}) had ${key}`]
      if (what === 'pages' && !dirty) yield ['marked', `${run} wrote pages while ${key} was not under way`]
      return
    }
    const [token, last] = [BigInt(note.token!), tokens.get(key) ?? 0n]
    tokens.set(key, token)
    // A release empties the holder and keeps the token, which no take-over and no break does.
    const released = holderPid === null && endReason === 'released'
    if (token < last || (token === last && !released)) yield ['tokens', `${token} of ${key} came after ${last}`]
    const before = runs.get(beforePid!)
    if (beforePid === null || (released && before?.name === run)) return
    const observed = `${run} has ended (${endReason}) ${key} of ${before?.name} with ${beforeLeftMs} ms left`
    if (beforeLeftMs! > 0) yield ['alive', observed]
    else if (!before?.mayLoseLease) yield ['healthy', observed]
  }
}

/** Whether another took the lease of a run, because it had expired. */
export const wasTakenOver = ({ pid, source }: WaveRun, notes: readonly Note[]): boolean =>
  notes.some(
    ({ key, beforePid, holderPid, endReason }) =>
      key === `sync:${source}` && beforePid === pid && holderPid !== pid && endReason === 'expired',
  )

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
CREATE TABLE chaos.notes (id bigint GENERATED ALWAYS AS IDENTITY, note jsonb);

CREATE FUNCTION chaos.note(key text, what text, rest jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO chaos.notes (note) SELECT rest || jsonb_build_object(
    'run', current_setting('application_name'), 'what', what, 'key', note.key,
    'holderPid', (SELECT holder_pid FROM tidemark.locks WHERE locks.key = note.key AND holder_id IS NOT NULL))
$$;

CREATE FUNCTION chaos.note_pages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM chaos.note('sync:' || source_id, 'pages', jsonb_build_object('dirty', dirty))
  FROM (SELECT DISTINCT source_id FROM changed) AS c LEFT JOIN tidemark.sources ON id = source_id;
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
DECLARE
  finished boolean := NOT NEW.dirty OR NEW.bookmark IS DISTINCT FROM OLD.bookmark;
BEGIN
  -- What a look that takes no lease may write.
  IF (NEW.bookmark, NEW.target, NEW.dirty) IS NOT DISTINCT FROM (OLD.bookmark, OLD.target, OLD.dirty) THEN
    RETURN NULL;
  END IF;
  PERFORM chaos.note('sync:' || NEW.id, CASE WHEN finished THEN 'finished' ELSE 'started' END, jsonb_build_object(
    'bookmark', NEW.bookmark,
    'pages', (SELECT jsonb_object_agg(path, blob_oid) FROM tidemark.pages WHERE finished AND source_id = NEW.id)));
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON tidemark.sources FOR EACH ROW EXECUTE FUNCTION chaos.note_source();

CREATE FUNCTION chaos.note_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.token, NEW.holder_id, NEW.attempt_id) IS NOT DISTINCT FROM (OLD.token, OLD.holder_id, OLD.attempt_id) THEN
    RETURN NULL;
  END IF;
  PERFORM chaos.note(NEW.key, 'lease', jsonb_build_object(
    'token', NEW.token::text, 'endReason', NEW.end_reason,
    'beforePid', CASE WHEN OLD.holder_id IS NOT NULL THEN OLD.holder_pid END,
    'beforeLeftMs', extract(epoch FROM OLD.expires_at - clock_timestamp()) * 1000));
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON tidemark.locks FOR EACH ROW EXECUTE FUNCTION chaos.note_lease();`
