import type { Database } from '../database/database.ts'
import type { Embedding } from '../embed/embedding.ts'
import { readModels } from '../embed/read-models.ts'
import { type VectorSpace, vectorSpace } from '../embed/vector-space.ts'

/** What chunks are to be near to. */
export interface Near {
  readonly model: string
  /** As pgvector reads it. */
  readonly vector: string
  readonly space: VectorSpace
}

/**
 * Embeds words with the model whose set is complete: the one that is configured, or, until it has every chunk, the
 * newest other one that has; null where there is none, or no one to ask.
 */
export async function nearTo(
  db: Database,
  words: string,
  embedding: Embedding | undefined,
  signal: AbortSignal | undefined,
): Promise<Near | null> {
  if (embedding === undefined) return null
  const models = await readModels(db)
  const own = models.find(({ model }) => model === embedding.model)
  const complete = models.filter(({ completedAt }) => completedAt !== null)
  const chosen = own?.completedAt ? own : (complete[0] ?? own)
  if (chosen === undefined) return null
  const { model, dimensions } = chosen
  const space = await vectorSpace(db, dimensions)
  const asked = {
    ...embedding,
    model,
    dimensions: model === embedding.model ? embedding.dimensions : undefined,
  }
  const { embedTexts } = await import('../embed/embed-texts.ts')
  const { vectors } = await embedTexts(asked, [words], { dimensions, signal, patient: false })
  return { model, space, vector: JSON.stringify(vectors[0]) }
}
