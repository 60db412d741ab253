import type { Database } from '../../database/database.ts'
import { readRows } from '../read-rows.ts'

/** What was removed, or would be. */
export interface GcResult {
  /** How many embeddings, those of replaced sets among them. */
  readonly embeddings: number
  /** The sets of which all was removed. */
  readonly models: readonly string[]
}

/**
 * Removes embeddings of texts that no chunk has any more, and the sets of other models once this one is complete.
 * @param dryRun counts only.
 */
export async function collectEmbeddings(
  db: Database,
  model: string,
  { dryRun = false, signal }: { dryRun?: boolean | undefined; signal?: AbortSignal | undefined } = {},
): Promise<GcResult> {
  const sql = dryRun ? COUNT_GARBAGE : COLLECT_GARBAGE
  return (await readRows<GcResult>(db, sql, [model], signal))[0] ?? { embeddings: 0, models: [] }
}

const superseded = (table: string) => /* sql */ `
${table}.model <> $1
AND EXISTS (SELECT FROM tidemark.embedding_models WHERE model = $1 AND completed_at IS NOT NULL)`

const isGarbage = (table: string) => /* sql */ `
(${superseded(table)}) OR NOT EXISTS (SELECT FROM tidemark.chunks WHERE chunks.content_hash = ${table}.content_hash)`

const COUNT_GARBAGE = /* sql */ `
SELECT (SELECT count(*)::integer FROM tidemark.embeddings AS e WHERE ${isGarbage('e')}) AS embeddings,
  (SELECT coalesce(array_agg(m.model ORDER BY m.model), '{}') FROM tidemark.embedding_models AS m WHERE ${superseded('m')}) AS models`

const COLLECT_GARBAGE = /* sql */ `
WITH embedding AS (DELETE FROM tidemark.embeddings AS e WHERE ${isGarbage('e')} RETURNING 1),
claim AS (DELETE FROM tidemark.embedding_claims AS c WHERE ${isGarbage('c')}),
quarantined AS (DELETE FROM tidemark.embedding_quarantine AS q WHERE ${isGarbage('q')}),
model AS (DELETE FROM tidemark.embedding_models AS m WHERE ${superseded('m')} RETURNING m.model)
SELECT (SELECT count(*)::integer FROM embedding) AS embeddings,
  (SELECT coalesce(array_agg(model ORDER BY model), '{}') FROM model) AS models`
