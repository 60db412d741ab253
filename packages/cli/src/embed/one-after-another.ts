import {
  type Database,
  type Embedding,
  type EmbedOptions,
  type EmbedResult,
  embedSource,
  readSources,
} from '@tidemark/sync-core'
import type { EmbedLive } from './telling.ts'

/** Embeds sources one after another; each has a budget of its own, and none stops another. */
export async function embedOneAfterAnother(
  db: Database,
  sources: readonly { readonly id: string }[],
  embedding: Embedding,
  { live, ...options }: EmbedOptions & { live: EmbedLive },
): Promise<EmbedResult[]> {
  const synced = new Set((await readSources(db)).map(({ id }) => id))
  const results: EmbedResult[] = []
  for (const { id } of sources) {
    live.progress({ source: id, done: 0, total: 0, elapsedMs: 0 })
    const result = await embedSource(db, id, embedding, { ...options, onProgress: live.progress })
    live.finished(result)
    results.push(synced.has(id) ? result : withNeverSynced(result))
  }
  return results
}

/** Nothing to embed would look like success. */
function withNeverSynced(result: EmbedResult): EmbedResult {
  const message = `it has not been synced yet; first run: tidemark sync --source ${result.source}`
  return { ...result, warnings: [...result.warnings, { code: 'never_synced', message }] }
}
