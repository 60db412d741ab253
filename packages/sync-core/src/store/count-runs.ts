import type { Database } from '../database/database.ts'
import type { Count, RunStatus } from '../run/outcome.ts'
import { readRows } from './read-rows.ts'
import { SEEN_STATUS } from './read-runs.ts'

/** How many runs of a source have ended so; `running` for those that have not. */
export interface RunCount {
  readonly source: string
  readonly status: RunStatus | 'running'
  readonly count: Count
}

/** Counts the runs that the database remembers of these sources; one statement. */
export const countRuns = (db: Database, ids: readonly string[]): Promise<RunCount[]> => readRows(db, COUNT_RUNS, [ids])

const COUNT_RUNS = /* sql */ `
SELECT source_id AS source, coalesce(seen.status, 'running') AS status, count(*)::integer AS count
FROM tidemark.runs AS run ${SEEN_STATUS}
WHERE source_id = ANY ($1::text[]) GROUP BY 1, 2 ORDER BY 1, 2`
