import type { Database } from '../../database/database.ts'
import { orIfNoSchema } from '../or-if-no-schema.ts'

/** A set of embeddings. */
export interface EmbeddingSet {
  readonly model: string
  readonly dimensions: number
  /** When it had every chunk for the first time. */
  readonly completedAt: Date | null
}

/** The sets that were begun; complete ones first, the newest of them before others. */
export async function readModels(db: Database): Promise<EmbeddingSet[]> {
  return (await orIfNoSchema(db.query<EmbeddingSet>(READ_MODELS), { rows: [] })).rows
}

const READ_MODELS = /* sql */ `
SELECT model, dimensions, completed_at AS "completedAt" FROM tidemark.embedding_models
ORDER BY completed_at DESC NULLS LAST, model`
