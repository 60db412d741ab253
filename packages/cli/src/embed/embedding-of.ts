import { type Embedding, SyncError, validateEmbedding } from '@tidemark/sync-core'
import type { Config } from '../config/load-config.ts'
import { UsageError } from '../usage-error.ts'

/**
 * Who embeds in this call. How long vectors are to be and what they cost is said of the configured model alone.
 *
 * @param model in the place of the configured one.
 * @throws {UsageError} with what to write where the configuration names no one.
 */
export function embeddingOf({ embedding, file }: Config, model: string | undefined): Embedding {
  if (embedding === null) {
    throw new UsageError(
      `${file} does not say who embeds`,
      'Write there, for example: embedding: { url: http://localhost:11434/v1, model: nomic-embed-text }',
    )
  }
  if (model === undefined || model === embedding.model) return embedding
  const { dimensions: _, pricePerMillionTokens: __, ...server } = embedding
  const another = { ...server, model }
  try {
    validateEmbedding(another)
  } catch (error) {
    if (error instanceof SyncError) throw new UsageError(error.message, error.hint, error)
    throw error
  }
  return another
}
