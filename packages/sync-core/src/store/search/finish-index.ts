import type { Lease } from '@tidemark/lock'
import type { Database } from '../../database/database.ts'
import { fencedQuery } from '../fenced-query.ts'

/** The newest run whose pages the index may lack. */
export async function readUnindexedRun(db: Database, sourceId: string): Promise<string | null> {
  const { rows } = await db.query('SELECT unindexed_since_run AS run FROM tidemark.sources WHERE id = $1', [sourceId])
  return rows[0]?.run ?? null
}

/**
 * Records that the index has every page, unless a run has begun to write others since.
 *
 * @param run what {@link readUnindexedRun} returned before the first page was indexed.
 */
export async function finishIndex(
  db: Database,
  lease: Lease,
  { sourceId, language, run }: { sourceId: string; language: string; run: string | null },
): Promise<void> {
  await fencedQuery(db, lease, FINISH_INDEX, [sourceId, language, run])
}

const FINISH_INDEX = /* sql */ `
source AS (
  UPDATE tidemark.sources SET unindexed_since_run = NULL, search_language = $4 FROM fence
  WHERE id = $3 AND NOT dirty AND unindexed_since_run IS NOT DISTINCT FROM $5::bigint
)
SELECT 1 FROM fence`
