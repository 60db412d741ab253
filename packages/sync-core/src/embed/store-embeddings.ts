import type { Lease } from '@tidemark/lock'
import type { Database } from '../database/database.ts'
import { lostLease } from '../store/lost-lease.ts'

export interface EmbeddingBatch {
  readonly model: string
  readonly dimensions: number
  readonly embedded: readonly { readonly hash: string; readonly vector: readonly number[] }[]
  readonly refused: readonly { readonly hash: string; readonly message: string }[]
}

/**
 * Writes what has become of a batch of texts: all of it or, where the lease is another's by now, nothing.
 *
 * @param type of vectors, with its schema.
 * @throws {LeaseLostError} when the fence did not hold.
 */
export async function storeEmbeddings(
  db: Database,
  lease: Lease,
  type: string,
  { model, dimensions, embedded, refused }: EmbeddingBatch,
): Promise<void> {
  const fence = lease.fenceSql(1)
  const vectors = embedded.map(({ hash, vector }) => ({ hash, vector: JSON.stringify(vector) }))
  const { rows } = await db.query(storeSql(fence.text, type), [
    ...fence.params,
    model,
    dimensions,
    JSON.stringify(vectors),
    JSON.stringify(refused),
  ])
  if (rows.length === 0) throw await lostLease(lease)
}

/*
 * The claims stay: a text is embedded by then, and another run that has not seen it yet is kept from it by them. They
 * end with the lease, and with the text itself in a collection.
 */
const storeSql = (fence: string, type: string) => /* sql */ `
WITH fence AS MATERIALIZED (${fence}),
vector AS MATERIALIZED (
  SELECT decode(v.hash, 'hex') AS content_hash, v.vector FROM fence, json_to_recordset($5::json) AS v (hash text, vector text)
),
model AS (
  INSERT INTO tidemark.embedding_models (model, dimensions) SELECT $3, $4::integer FROM fence WHERE EXISTS (SELECT FROM vector)
  ON CONFLICT (model) DO NOTHING
),
embedding AS (
  INSERT INTO tidemark.embeddings (model, content_hash, embedding) SELECT $3, content_hash, vector::${type} FROM vector
  ON CONFLICT (model, content_hash) DO NOTHING
),
refused AS (
  INSERT INTO tidemark.embedding_quarantine (model, content_hash, message)
  SELECT $3, decode(r.hash, 'hex'), r.message FROM fence, json_to_recordset($6::json) AS r (hash text, message text)
  ON CONFLICT (model, content_hash) DO UPDATE SET message = excluded.message, last_seen_at = now()
)
SELECT 1 FROM fence`
