import { SyncError } from '../sync-error.ts'
import type { Claimed } from './claim-chunks.ts'
import type { Embedded } from './embed-texts.ts'
import type { EmbeddingBatch } from './store-embeddings.ts'

/** What becomes of each text of a batch. */
export type Outcome = Pick<EmbeddingBatch, 'embedded' | 'refused'> & { readonly tokens: number }

/** A text that any model takes. */
const HARMLESS = 'tidemark'

/**
 * Has a batch embedded; where the server rejects it, halves of it, until the texts are found that it rejects. It is the
 * text's fault only if the server takes another one.
 */
export async function embedEach(
  request: (texts: readonly string[]) => Promise<Embedded>,
  texts: readonly Claimed[],
): Promise<Outcome> {
  try {
    const { vectors, tokens } = await request(texts.map(({ content }) => content))
    return { embedded: texts.map(({ hash }, i) => ({ hash, vector: vectors[i]! })), refused: [], tokens }
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'EMBEDDING_REJECTED') throw error
    if (texts.length === 1) {
      await request([HARMLESS])
      return { embedded: [], refused: [{ hash: texts[0]!.hash, message: error.message }], tokens: 0 }
    }
    const half = Math.ceil(texts.length / 2)
    const first = await embedEach(request, texts.slice(0, half))
    const second = await embedEach(request, texts.slice(half))
    return {
      embedded: [...first.embedded, ...second.embedded],
      refused: [...first.refused, ...second.refused],
      tokens: first.tokens + second.tokens,
    }
  }
}
