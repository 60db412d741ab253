import { hostname } from 'node:os'
import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { lostLease } from './lost-lease.ts'

export interface RunStart {
  readonly source: { readonly id: string; readonly repo: string; readonly ref: string }
  /** The bookmark that the run sets out from. */
  readonly from: string | null
  /** The commit that it works towards. */
  readonly to: string
}

/**
 * Notes under the lease that pages are about to change, so that a run killed at any later moment leaves a source
 * that is known to be a mixture.
 *
 * @returns the id of the run.
 * @throws {LeaseLostError} when the fence did not hold.
 */
export async function startRun(db: Database, lease: Lease, { source, from, to }: RunStart): Promise<string> {
  const fence = lease.fenceSql(1)
  const params = [...fence.params, source.id, source.repo, source.ref, from, to, hostname(), process.pid]
  const { rows } = await db.query<{ id: string }>(startRunSql(fence.text), params)
  const run = rows[0]
  if (!run) throw await lostLease(lease)
  return run.id
}

const startRunSql = (fence: string) => /* sql */ `
WITH fence AS MATERIALIZED (${fence}),
source AS (
  INSERT INTO tidemark.sources (id, repo, ref, target, dirty)
  SELECT $3, $4, $5, $7, true FROM fence
  ON CONFLICT (id) DO UPDATE SET repo = $4, ref = $5, target = $7, dirty = true
)
INSERT INTO tidemark.runs (source_id, from_commit, to_commit, host, pid)
SELECT $3, $6, $7, $8, $9::integer FROM fence
RETURNING id`
