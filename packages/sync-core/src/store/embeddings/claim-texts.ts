import { retryLost } from '../../run/retry-lost.ts'
import { type Fenced, fencedQuery } from '../fenced-query.ts'

/** A text to be embedded. */
export interface PendingText {
  /** Of its content, in hexadecimal. */
  readonly hash: string
  readonly content: string
}

interface Row extends PendingText {
  /** Null where no chunk is left, and with it all the rest. */
  readonly pageId: string | null
  readonly ordinal: number
  readonly claimedByUs: boolean
}

/**
 * Claims the texts of a source that a model has not embedded, a batch at a time and each once, in page order; what
 * the holder of another lease is having embedded is left to it. Throws LeaseLostError when the fence did not hold.
 */
export async function* claimTexts(fenced: Fenced, sourceId: string, model: string, batchSize: number) {
  for (let [pageId, ordinal] = ['0', -1]; ; ) {
    let isRetry = false
    const rows = await retryLost(fenced.lease.signal, () => {
      const params = [sourceId, model, pageId, ordinal, batchSize, isRetry]
      isRetry = true
      return fencedQuery<Row>(fenced, CLAIM_TEXTS, params)
    })
    const last = rows.at(-1)!
    if (last.pageId === null) return
    ;[pageId, ordinal] = [last.pageId, last.ordinal]
    const claimed: PendingText[] = rows.filter((row) => row.claimedByUs)
    if (claimed.length > 0) yield claimed
  }
}

const CLAIM_TEXTS = /* sql */ `
missing AS MATERIALIZED (
  SELECT chunk.page_id, chunk.ordinal, chunk.content_hash, chunk.content FROM fence, tidemark.chunks AS chunk
  WHERE chunk.source_id = $3 AND (chunk.page_id, chunk.ordinal) > ($5::bigint, $6::integer)
    AND NOT EXISTS (
      SELECT FROM tidemark.embeddings AS e WHERE e.model = $4 AND e.content_hash = chunk.content_hash OFFSET 0
    )
    AND NOT EXISTS (
      SELECT FROM tidemark.embedding_quarantine AS q WHERE q.model = $4 AND q.content_hash = chunk.content_hash OFFSET 0
    )
  ORDER BY chunk.page_id, chunk.ordinal LIMIT $7::integer
),
text AS MATERIALIZED (
  SELECT DISTINCT ON (content_hash) content_hash, page_id, ordinal FROM missing ORDER BY content_hash, page_id, ordinal
),
claim AS (
  INSERT INTO tidemark.embedding_claims AS old (model, content_hash, key, token)
  SELECT $4, content_hash, $1, $2::bigint FROM text
  ON CONFLICT (model, content_hash) DO UPDATE SET key = excluded.key, token = excluded.token
  -- Where the first try's answer was lost, its claims may be there.
  WHERE $8 AND old.key = excluded.key AND old.token = excluded.token OR NOT EXISTS (
    SELECT FROM tidemark.locks AS lock WHERE lock.key = old.key AND lock.token = old.token
      AND lock.holder_id IS NOT NULL AND lock.expires_at > clock_timestamp()
  )
  RETURNING content_hash
)
SELECT missing.page_id AS "pageId", missing.ordinal, missing.content, encode(missing.content_hash, 'hex') AS hash,
  claim.content_hash IS NOT NULL AS "claimedByUs"
FROM fence LEFT JOIN missing ON true
LEFT JOIN text ON text.page_id = missing.page_id AND text.ordinal = missing.ordinal
LEFT JOIN claim ON claim.content_hash = text.content_hash ORDER BY missing.page_id, missing.ordinal`
