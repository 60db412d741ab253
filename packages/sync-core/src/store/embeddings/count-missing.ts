import type { Database } from '../../database/database.ts'
import { orIfNoSchema } from '../or-if-no-schema.ts'

/** The different texts of chunks that have no embedding and were not rejected. */
export interface MissingTexts {
  readonly chunks: number
  readonly characters: number
}

/** What a model has still to embed of a source, or of all sources where that is null. */
export async function countMissing(db: Database, model: string, sourceId: string | null): Promise<MissingTexts> {
  const count = async (sql: string, params: unknown[]) => (await db.query<MissingTexts>(sql, params)).rows[0]!
  const missing = orIfNoSchema(count(countMissingSql(NOT_EMBEDDED), [sourceId, model]), null)
  return (await missing) ?? orIfNoSchema(count(countMissingSql(''), [sourceId]), { chunks: 0, characters: 0 })
}

/** Left out where no table of embeddings has been made yet: nothing can have been rejected then either. */
const NOT_EMBEDDED = /* sql */ `AND NOT EXISTS (
  SELECT FROM tidemark.embeddings AS e WHERE e.model = $2 AND e.content_hash = chunk.content_hash
) AND NOT EXISTS (
  SELECT FROM tidemark.embedding_quarantine AS q WHERE q.model = $2 AND q.content_hash = chunk.content_hash
)`

const countMissingSql = (condition: string) => /* sql */ `
SELECT count(*)::integer AS chunks, coalesce(sum(characters), 0)::double precision AS characters FROM (
  SELECT chunk.content_hash, max(length(chunk.content)) AS characters FROM tidemark.chunks AS chunk
  WHERE ($1::text IS NULL OR chunk.source_id = $1) ${condition}
  GROUP BY chunk.content_hash
) AS missing`
