import pMap from 'p-map'
import type pg from 'pg'
import { embed } from './embedding-service.ts'

/** As many pages at a time as the incumbent's `embed --stale` has workers; every policy embeds by this. */
const WORKERS = 20

/**
 * Embeds what has no embedding yet, a request for each page, and stores each answer as it comes. The vectors are in a
 * table of the harness, whoever's the chunks are: the server has no pgvector.
 */
export async function embedStale(db: pg.Pool, url: string, signal?: AbortSignal): Promise<void> {
  const { rows } = await db.query<{ texts: string[] }>(STALE)
  const embedPage = async ({ texts }: { texts: string[] }) => {
    if (!signal?.aborted) await storeVectors(db, texts, await embed(url, texts))
  }
  await pMap(rows, embedPage, { concurrency: WORKERS })
}

/** A text is embedded once: where it stands does not matter. */
export const storeVectors = (db: pg.Pool | pg.PoolClient, texts: readonly string[], vectors: readonly number[][]) =>
  db.query(
    `INSERT INTO harness.vectors SELECT md5(texts[n]), vectors[n] FROM (SELECT $1::text[] AS texts, $2::jsonb[] AS vectors)
     CROSS JOIN generate_subscripts(texts, 1) AS n ON CONFLICT DO NOTHING`,
    [texts, vectors.map((vector) => JSON.stringify(vector))],
  )

const STALE = /* sql */ `
SELECT array_agg(content) AS texts FROM harness.chunks
WHERE NOT EXISTS (SELECT FROM harness.vectors WHERE hash = md5(content))
GROUP BY source_id, page ORDER BY source_id, page`
