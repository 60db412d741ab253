import type { Database } from '../database/database.ts'
import type { Embedding } from '../embed/embedding.ts'
import { readModels } from '../store/embeddings/read-models.ts'
import { vectorSpace } from '../store/embeddings/vector-space.ts'
import type { QueryVector } from '../store/search/find-hits.ts'

/**
 * Embeds words with the model whose set is complete: the one that is configured, or, until it has every chunk, the
 * newest other one that has; null where there is none, or no server to ask.
 */
export async function embedQuery(
  db: Database,
  words: string,
  embedding: Embedding | undefined,
  signal: AbortSignal | undefined,
): Promise<QueryVector | null> {
  if (embedding === undefined) return null
  const models = await readModels(db)
  const configured = models.find(({ model }) => model === embedding.model)
  const complete = models.filter(({ completedAt }) => completedAt !== null)
  const chosen = configured?.completedAt ? configured : (complete[0] ?? configured)
  if (chosen === undefined) return null
  const { model, dimensions } = chosen
  const space = await vectorSpace(db, dimensions)
  const server = { ...embedding, model, dimensions: model === embedding.model ? embedding.dimensions : undefined }
  const { embedTexts } = await import('../embed/embed-texts.ts')
  const { vectors } = await embedTexts(server, [words], { dimensions, signal, retry: false })
  return { model, space, vector: JSON.stringify(vectors[0]) }
}
