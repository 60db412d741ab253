import type { Database } from '../database/database.ts'
import { readRows } from './read-rows.ts'

/** How long what was deleted or renamed is told to those who follow the changes, by default: 30 days. */
export const DEFAULT_KEEP_MS = 30 * 24 * 3_600_000

/** Some hundredths of a second for each statement. */
const ROWS_PER_STATEMENT = 5_000

/**
 * Forgets what was deleted and renamed longer ago, in pieces; who comes with an older cursor is told that it has expired.
 * Needs no lease: what is old stays old.
 *
 * @returns how many rows it has deleted.
 */
export async function pruneChanges(db: Database, sourceId: string, keepMs: number = DEFAULT_KEEP_MS): Promise<number> {
  for (let total = 0; ; ) {
    const [row] = await readRows<{ deleted: number }>(db, PRUNE_CHANGES, [sourceId, keepMs, ROWS_PER_STATEMENT])
    const deleted = row?.deleted ?? 0
    total += deleted
    if (deleted < ROWS_PER_STATEMENT) return total
  }
}

// By their numbers, which rise with time: what is left of them is never a hole.
const pruneSql = (table: string, column: string) => /* sql */ `
old_${table} AS MATERIALIZED (
  SELECT seq FROM (
    SELECT seq, ${column} FROM tidemark.${table} WHERE source_id = $1 ORDER BY seq LIMIT $3::integer
  ) AS first WHERE ${column} <= now() - $2::double precision * interval '1 ms'
),
pruned_${table} AS (
  DELETE FROM tidemark.${table} WHERE source_id = $1 AND seq IN (SELECT seq FROM old_${table}) RETURNING seq
)`

const PRUNE_CHANGES = /* sql */ `
WITH ${pruneSql('deleted_pages', 'deleted_at')},
${pruneSql('renamed_pages', 'renamed_at')},
pruned AS MATERIALIZED (SELECT seq FROM pruned_deleted_pages UNION ALL SELECT seq FROM pruned_renamed_pages),
expired AS (
  UPDATE tidemark.sources SET expired_seq = greatest(expired_seq, (SELECT max(seq) FROM pruned))
  WHERE id = $1 AND EXISTS (SELECT FROM pruned)
)
SELECT count(*)::integer AS deleted FROM pruned`
