import type { PendingText } from '../store/embeddings/claim-texts.ts'
import type { EmbeddingBatch } from '../store/embeddings/store-embeddings.ts'
import { SyncError } from '../sync-error.ts'
import { PROBE_TEXT } from './check-server.ts'
import type { Embedded } from './embed-texts.ts'

type BisectedBatch = Pick<EmbeddingBatch, 'embedded' | 'rejected'> & { readonly tokens: number }

/**
 * Has a batch embedded; where the server rejects it, halves of it. A text is at fault only if the server takes another.
 */
export async function bisectRejected(
  request: (texts: readonly string[]) => Promise<Embedded>,
  texts: readonly PendingText[],
): Promise<BisectedBatch> {
  try {
    const { vectors, tokens } = await request(texts.map(({ content }) => content))
    return { embedded: texts.map(({ hash }, i) => ({ hash, vector: vectors[i]! })), rejected: [], tokens }
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'EMBEDDING_REJECTED') throw error
    if (texts.length === 1) {
      await request([PROBE_TEXT])
      return { embedded: [], rejected: [{ hash: texts[0]!.hash, message: error.message }], tokens: 0 }
    }
    const half = Math.ceil(texts.length / 2)
    const first = await bisectRejected(request, texts.slice(0, half))
    const second = await bisectRejected(request, texts.slice(half))
    return {
      embedded: [...first.embedded, ...second.embedded],
      rejected: [...first.rejected, ...second.rejected],
      tokens: first.tokens + second.tokens,
    }
  }
}
