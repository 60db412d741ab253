import type { Problem } from '../run/next-steps.ts'
import { SyncError } from '../sync-error.ts'
import type { Embedding } from './embedding.ts'

/** A text that any model takes. */
export const PROBE_TEXT = 'tidemark'

/** Who asks is a person. */
const MAX_TIMEOUT_MS = 10_000

/** Has one text embedded, once. @returns why that fails; null where it does not. */
export async function checkEmbeddingServer(embedding: Embedding): Promise<Problem | null> {
  const { embedTexts } = await import('./embed-texts.ts')
  const requestTimeoutMs = Math.min(embedding.requestTimeoutMs ?? MAX_TIMEOUT_MS, MAX_TIMEOUT_MS)
  try {
    await embedTexts({ ...embedding, requestTimeoutMs }, [PROBE_TEXT], { dimensions: null, retry: false })
    return null
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    return { message: error.message, nextStep: error.hint }
  }
}
