import type { Database } from '../../database/database.ts'
import { readRows } from '../read-rows.ts'

/** A set of embeddings. */
export interface EmbeddingSet {
  readonly model: string
  readonly dimensions: number
  /** When it had every chunk for the first time. */
  readonly completedAt: Date | null
}

/** The sets that were begun; complete ones first, the newest of them before others. */
export const readModels = (db: Database): Promise<EmbeddingSet[]> => readRows(db, READ_MODELS)

const READ_MODELS = /* sql */ `
SELECT model, dimensions, completed_at AS "completedAt" FROM tidemark.embedding_models
ORDER BY completed_at DESC NULLS LAST, model`

/** Has a set count for search once it has every chunk of every source. @returns the set; null where it has not. */
export async function completeModel(db: Database, model: string): Promise<EmbeddingSet | null> {
  const set = (await readModels(db)).find((each) => each.model === model)
  if (set === undefined || set.completedAt !== null) return set ?? null
  if ((await countMissing(db, model, null)).chunks > 0) return null
  await db.query('UPDATE tidemark.embedding_models SET completed_at = now() WHERE model = $1', [model])
  return set
}

/** The different texts of chunks that have no embedding and were not rejected. */
export type MissingTexts = Readonly<Record<'chunks' | 'characters', number>>

/** What a model has still to embed of a source, or of all sources where that is null. */
export async function countMissing(db: Database, model: string, sourceId: string | null): Promise<MissingTexts> {
  const [missing] = await readRows<MissingTexts>(db, countMissingSql(NOT_EMBEDDED), [sourceId, model])
  if (missing) return missing
  return (await readRows<MissingTexts>(db, countMissingSql(''), [sourceId]))[0] ?? { chunks: 0, characters: 0 }
}

/** How many of the different texts of a source a model has still to embed. */
export async function countUnembedded(db: Database, model: string, sourceId: string) {
  const { chunks: texts } = await countMissing(db, model, sourceId)
  const [all] = await readRows<MissingTexts>(db, countMissingSql(''), [sourceId])
  return { texts, total: all?.chunks ?? 0 }
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
  WHERE ($1::text IS NULL OR chunk.source_id = $1) ${condition} GROUP BY chunk.content_hash
) AS missing`
