import type { Database } from '../../database/database.ts'

/** Records why the embedding of a source has failed; null where it has not. */
export async function recordEmbedding(
  db: Database,
  sourceId: string,
  failure: { readonly message: string; readonly hint: string } | null,
): Promise<void> {
  await db.query(RECORD_EMBEDDING, [sourceId, failure?.message ?? null, failure?.hint ?? null])
}

const RECORD_EMBEDDING = /* sql */ `
UPDATE tidemark.sources SET embed_message = $2, embed_hint = $3
WHERE id = $1 AND (embed_message IS DISTINCT FROM $2 OR embed_hint IS DISTINCT FROM $3)`
