import type { Database } from '@tidemark/sync-core'

/** Runs looked at, the newest of each source. */
const MAX_RUNS = 50

/** What 95 of 100 of the newest runs that had a plan and an end of these sources stayed below, in milliseconds; null without any. */
export async function readP95Durations(db: Database, ids: readonly string[]): Promise<Map<string, number | null>> {
  const { rows } = await db.query<{ id: string; ms: number | null }>(p95DurationsSql, [ids, MAX_RUNS])
  return new Map(rows.map(({ id, ms }) => [id, ms]))
}

const p95DurationsSql = /* sql */ `
SELECT input.id, (
  SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY ms) FROM (
    SELECT (extract(epoch FROM finished_at - started_at) * 1000)::double precision AS ms
    FROM tidemark.runs WHERE source_id = input.id AND (counts IS NOT NULL OR status IN ('synced', 'first_sync'))
    ORDER BY runs.id DESC LIMIT $2
  ) AS newest
) AS ms
FROM unnest($1::text[]) AS input (id)`
