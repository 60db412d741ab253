import type { Database } from '../database/database.ts'
import { ifMissing } from '../store/if-missing.ts'

/** The different texts of chunks that have no embedding and were not refused. */
export interface Missing {
  readonly chunks: number
  readonly characters: number
}

/** What a model has still to embed of a source, or of all sources where that is null. */
export async function measureMissing(db: Database, model: string, sourceId: string | null): Promise<Missing> {
  const measure = async (sql: string, params: unknown[]) => (await db.query<Missing>(sql, params)).rows[0]!
  const missing = ifMissing(measure(measureSql(EMBEDDED), [sourceId, model]), null)
  return (await missing) ?? ifMissing(measure(measureSql(''), [sourceId]), { chunks: 0, characters: 0 })
}

/** Left out where no table of embeddings has been made yet: nothing can have been refused then either. */
const EMBEDDED = /* sql */ `AND NOT EXISTS (
  SELECT FROM tidemark.embeddings AS e WHERE e.model = $2 AND e.content_hash = chunk.content_hash
) AND NOT EXISTS (
  SELECT FROM tidemark.embedding_quarantine AS q WHERE q.model = $2 AND q.content_hash = chunk.content_hash
)`

const measureSql = (embedded: string) => /* sql */ `
SELECT count(*)::integer AS chunks, coalesce(sum(characters), 0)::double precision AS characters FROM (
  SELECT chunk.content_hash, max(length(chunk.content)) AS characters FROM tidemark.chunks AS chunk
  WHERE ($1::text IS NULL OR chunk.source_id = $1) ${embedded}
  GROUP BY chunk.content_hash
) AS missing`
