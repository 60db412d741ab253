import type { Database } from '../database/database.ts'
import { ifMissing } from '../store/if-missing.ts'

/** A set of embeddings. */
export interface EmbeddingSet {
  readonly model: string
  readonly dimensions: number
  /** When it had every chunk for the first time. */
  readonly completedAt: Date | null
}

/** The sets that were begun; complete ones first, the newest of them before others. */
export async function readModels(db: Database): Promise<EmbeddingSet[]> {
  return (await ifMissing(db.query<EmbeddingSet>(readModelsSql), { rows: [] })).rows
}

const readModelsSql = /* sql */ `
SELECT model, dimensions, completed_at AS "completedAt" FROM tidemark.embedding_models
ORDER BY completed_at DESC NULLS LAST, model`
