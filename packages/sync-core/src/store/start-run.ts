import { hostname } from 'node:os'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { type Fenced, fencedQuery } from './fenced-query.ts'

/** What the database remembers of a source; `linkRoot` is a folder's key, `settings` all that may end a run in another way. */
export type SourceRecord = Readonly<
  Record<'id' | 'repo' | 'ref' | 'linkRoot' | 'fingerprint' | 'settings' | 'language', string>
>

export interface StartedRun {
  readonly id: string
  /** Whether an earlier run had left the source unfinished. */
  readonly unfinished: boolean
  /** Whether the bookmark was made with the same parser and the same choice of files. */
  readonly sameSettings: boolean
  /** Pages last written before that moment of the database's clock are to be written again; null where none are. */
  readonly rewriteBefore: Date | null
  /** Whether the search index had every page before. */
  readonly indexed: boolean
}

/**
 * Records that pages are about to change: a run killed later leaves a known mixture.
 *
 * @param run from the bookmark that it sets out from to the commit that it works towards; `full` where every page is to
 *   be written again. A full sync that was stopped goes on without being asked.
 * @throws {LeaseLostError}
 */
export async function startRun(
  fenced: Fenced,
  source: SourceRecord,
  run: { readonly from: string | null; readonly to: string; readonly full: boolean },
): Promise<StartedRun> {
  const { id, repo, ref, linkRoot, fingerprint, settings } = source
  const { from, to, full } = run
  const made = [PARSER_VERSION, fingerprint, linkRoot, settings]
  const params = [id, repo, ref, from, to, hostname(), process.pid, full, ...made]
  return (await fencedQuery<StartedRun>(fenced, START_RUN, params))[0]
}

const START_RUN = /* sql */ `
before AS MATERIALIZED (
  SELECT dirty, parser_version, fingerprint, unindexed_since_run FROM tidemark.sources WHERE id = $3
),
-- Nobody else has the lease: what has no end was killed.
killed AS (
  UPDATE tidemark.runs SET status = 'killed', finished_at = now() FROM fence WHERE source_id = $3 AND finished_at IS NULL
),
run AS (
  INSERT INTO tidemark.runs (source_id, from_commit, to_commit, host, pid, settings)
  SELECT $3, $6, $7, $8, $9::integer, $14 FROM fence RETURNING id
),
source AS (
  INSERT INTO tidemark.sources AS old (
    id, repo, ref, link_root, target, dirty, rewrite_before, behind_since, unindexed_since_run
  )
  SELECT $3, $4, $5, $13, $7, true, now() + CASE WHEN $10::boolean THEN interval '0' END, now(), run.id FROM run
  ON CONFLICT (id) DO UPDATE
  SET repo = $4, ref = $5, link_root = $13, target = $7, dirty = true,
      rewrite_before = coalesce(old.rewrite_before, excluded.rewrite_before),
      behind_since = least(old.behind_since, now()), unindexed_since_run = excluded.unindexed_since_run
  RETURNING rewrite_before
)
SELECT run.id, coalesce((SELECT dirty FROM before), false) AS unfinished,
  coalesce((SELECT parser_version = $11::integer AND fingerprint = $12 FROM before), false) AS "sameSettings",
  source.rewrite_before AS "rewriteBefore",
  coalesce((SELECT unindexed_since_run IS NULL FROM before), false) AS indexed
FROM run, source`
