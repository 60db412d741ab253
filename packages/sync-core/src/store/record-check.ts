import type { Database } from '../database/database.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { ABORTED, raceAbort } from '../race-abort.ts'
import type { SourceRecord } from './start-run.ts'

export interface SourceCheck {
  readonly bookmark: string | null
  /** Whether the source holds exactly the commit, made the way that it would be made now. */
  readonly upToDate: boolean
  /** Whether the search index has every page, made for the source's language. */
  readonly indexed: boolean
  /** Why the source has no page of its bookmark; null where it has some. */
  readonly nothingSelected: string | null
}

interface Look {
  readonly source: SourceRecord
  readonly commit: string
  readonly checked: PromiseWithResolvers<SourceCheck | undefined>
}

/** Those that go in one statement; by their database, whose signal each run has its own of. */
const together = new WeakMap<Database['locks'], Look[]>()

/**
 * Compares a source with the commit that its ref names, and records in the same statement that it was looked at. Takes
 * no lease: nothing that a run goes by is written, and a run that ends meanwhile is seen as the update gets the row.
 * Looks at several sources that are made in one moment go together, but for a source that a run is just writing: that
 * one is waited for by itself, and by none of the others.
 */
export async function recordCheck(
  db: Database,
  source: SourceRecord,
  commit: string,
  signal?: AbortSignal,
): Promise<SourceCheck> {
  const check = await raceAbort(lookTogether(db, source, commit), signal, 0)
  if (check !== ABORTED && check !== undefined) return check
  const [alone] = await recordChecks(db, [{ source, commit }], '')
  return alone?.check ?? { bookmark: null, upToDate: false, indexed: false, nothingSelected: null }
}

/** Undefined where a look has to be made alone. */
function lookTogether(db: Database, source: SourceRecord, commit: string): Promise<SourceCheck | undefined> {
  const look: Look = { source, commit, checked: Promise.withResolvers() }
  const others = together.get(db.locks)
  if (others) others.push(look)
  else {
    together.set(db.locks, [look])
    setImmediate(() => void makeLooks(db))
  }
  return look.checked.promise
}

async function makeLooks(db: Database): Promise<void> {
  const looks = together.get(db.locks)!
  together.delete(db.locks)
  // What goes wrong is told to each of them when it looks alone.
  const found =
    looks.length > 1 ? await recordChecks(db, looks, 'FOR NO KEY UPDATE OF sources SKIP LOCKED').catch(() => []) : []
  const checks = new Map(found.map(({ id, check }) => [id, check]))
  for (const { source, checked } of looks) checked.resolve(checks.get(source.id))
}

async function recordChecks(db: Database, looks: readonly Omit<Look, 'checked'>[], lock: string) {
  const wanted = looks.map(({ source: { id, fingerprint, language }, commit }) => ({
    id,
    commit,
    fingerprint,
    language,
  }))
  const params = [JSON.stringify(wanted), PARSER_VERSION]
  const { rows } = await db.query<SourceCheck & { id: string }>(recordChecksSql(lock), params)
  return rows.map(({ id, ...check }) => ({ id, check }))
}

const UP_TO_DATE = /* sql */ `coalesce(source.bookmark = looked.commit AND NOT source.dirty AND source.parser_version = $2
  AND source.fingerprint = looked.fingerprint, false)`

// The clock is in no CASE or COALESCE, because Citus refuses a write that has it there.
const recordChecksSql = (lock: string) => /* sql */ `
WITH looked AS MATERIALIZED (
  SELECT look.* FROM tidemark.sources
  JOIN json_to_recordset($1::json) AS look (id text, commit text, fingerprint text, language text) USING (id)
  ${lock}
)
UPDATE tidemark.sources AS source SET
  last_checked_at = now(),
  last_status = CASE WHEN ${UP_TO_DATE} THEN 'up_to_date' ELSE source.last_status END,
  behind_since = least(source.behind_since, now()) + CASE WHEN ${UP_TO_DATE} THEN NULL ELSE interval '0' END
FROM looked WHERE source.id = looked.id
RETURNING source.id, source.bookmark, ${UP_TO_DATE} AS "upToDate",
  coalesce(source.unindexed_since_run IS NULL AND source.search_language = looked.language, false) AS indexed,
  source.nothing_selected AS "nothingSelected"`
