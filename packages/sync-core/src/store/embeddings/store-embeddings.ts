import { type Fenced, fencedQuery } from '../fenced-query.ts'

export interface EmbeddingBatch {
  readonly model: string
  readonly dimensions: number
  readonly embedded: readonly { readonly hash: string; readonly vector: readonly number[] }[]
  readonly rejected: readonly { readonly hash: string; readonly message: string }[]
}

/** Writes what has become of a batch of texts, all or nothing; `type` is that of vectors. @throws {LeaseLostError} */
export async function storeEmbeddings(fenced: Fenced, type: string, batch: EmbeddingBatch): Promise<void> {
  const { model, dimensions, embedded, rejected } = batch
  const vectors = embedded.map(({ hash, vector }) => ({ hash, vector: JSON.stringify(vector) }))
  const params = [model, dimensions, JSON.stringify(vectors), JSON.stringify(rejected)]
  await fencedQuery(fenced, storeEmbeddingsSql(type), params)
}

// The claims stay: a text is embedded by then, and another run that has not seen it yet is kept from it by them. They
// end with the lease, and with the text itself in a collection.
const storeEmbeddingsSql = (type: string) => /* sql */ `
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
rejected AS (
  INSERT INTO tidemark.embedding_quarantine (model, content_hash, message)
  SELECT $3, decode(r.hash, 'hex'), r.message FROM fence, json_to_recordset($6::json) AS r (hash text, message text)
  ON CONFLICT (model, content_hash) DO UPDATE SET message = excluded.message, last_seen_at = now()
)
SELECT 1 FROM fence`
