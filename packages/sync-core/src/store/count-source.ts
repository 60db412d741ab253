import type { Database } from '../database/database.ts'
import { orIfNoSchema } from './or-if-no-schema.ts'

/** How much the database holds of a source. */
export interface SourceSize {
  readonly pages: number
  readonly chunks: number
  readonly links: number
  readonly quarantined: number
  readonly runs: number
}

const NOTHING: SourceSize = { pages: 0, chunks: 0, links: 0, quarantined: 0, runs: 0 }

/** Counts what `removeSource` would remove; reads only. */
export async function countSource(db: Database, sourceId: string): Promise<SourceSize> {
  const { rows } = await orIfNoSchema(db.query<SourceSize>(COUNT_SOURCE, [sourceId]), { rows: [NOTHING] })
  return rows[0]!
}

const COUNT_SOURCE = /* sql */ `
SELECT
  (SELECT count(*)::integer FROM tidemark.pages WHERE source_id = $1) AS pages,
  (SELECT count(*)::integer FROM tidemark.chunks WHERE source_id = $1) AS chunks,
  (SELECT count(*)::integer FROM tidemark.links WHERE source_id = $1) AS links,
  (SELECT count(*)::integer FROM tidemark.quarantine WHERE source_id = $1) AS quarantined,
  (SELECT count(*)::integer FROM tidemark.runs WHERE source_id = $1) AS runs`
