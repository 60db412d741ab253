import { hostname } from 'node:os'
import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { PARSER_VERSION } from '../parse/parser-version.ts'
import { lostLease } from './lost-lease.ts'

export interface RunStart {
  readonly source: {
    readonly id: string
    readonly repo: string
    readonly ref: string
    readonly fingerprint: string
  }
  /** The bookmark that the run sets out from. */
  readonly from: string | null
  /** The commit that it works towards. */
  readonly to: string
  /** Whether every page is to be written again. A full sync that was stopped goes on without being asked. */
  readonly full: boolean
}

export interface StartedRun {
  readonly id: string
  /** Whether an earlier run had left the source unfinished. */
  readonly unfinished: boolean
  /** Whether the bookmark was made with the same parser and the same choice of files. */
  readonly sameMaking: boolean
  readonly rewriteBefore: Date | null
  /** Whether the search index had every page before. */
  readonly searched: boolean
}

/**
 * Notes under the lease that pages are about to change, so that a run killed at any later moment leaves a source
 * that is known to be a mixture.
 *
 @throws {LeaseLostError} when the fence did not hold.
 */
export async function startRun(db: Database, lease: Lease, { source, from, to, full }: RunStart): Promise<StartedRun> {
  const fence = lease.fenceSql(1)
  const params = [
    ...fence.params,
    source.id,
    source.repo,
    source.ref,
    from,
    to,
    hostname(),
    process.pid,
    full,
    PARSER_VERSION,
    source.fingerprint,
  ]
  const { rows } = await db.query<StartedRun>(startRunSql(fence.text), params)
  const run = rows[0]
  if (!run) throw await lostLease(lease)
  return run
}

const startRunSql = (fence: string) => /* sql */ `
WITH fence AS MATERIALIZED (${fence}),
before AS MATERIALIZED (
  SELECT dirty, parser_version, fingerprint, unindexed_since_run FROM tidemark.sources WHERE id = $3
),
run AS (
  INSERT INTO tidemark.runs (source_id, from_commit, to_commit, host, pid)
  SELECT $3, $6, $7, $8, $9::integer FROM fence
  RETURNING id
),
source AS (
  INSERT INTO tidemark.sources AS old (id, repo, ref, target, dirty, rewrite_before, behind_since, unindexed_since_run)
  SELECT $3, $4, $5, $7, true, CASE WHEN $10::boolean THEN now() END, now(), run.id FROM run
  ON CONFLICT (id) DO UPDATE
  SET repo = $4, ref = $5, target = $7, dirty = true, rewrite_before = coalesce(old.rewrite_before, excluded.rewrite_before),
      behind_since = coalesce(old.behind_since, now()), unindexed_since_run = excluded.unindexed_since_run
  RETURNING rewrite_before
)
SELECT run.id, coalesce((SELECT dirty FROM before), false) AS unfinished,
  coalesce((SELECT parser_version = $11::integer AND fingerprint = $12 FROM before), false) AS "sameMaking",
  source.rewrite_before AS "rewriteBefore",
  coalesce((SELECT unindexed_since_run IS NULL FROM before), false) AS searched
FROM run, source`
